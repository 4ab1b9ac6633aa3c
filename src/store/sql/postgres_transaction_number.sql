-- Tells after a lost connection whether the transaction was committed.
SELECT txid_current()
