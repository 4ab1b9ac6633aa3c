-- The transaction's number tells after a lost connection whether it was committed.
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SELECT txid_current();
