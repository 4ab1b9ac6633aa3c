-- The transaction's number tells after a lost connection whether it was committed.
BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT txid_current();
