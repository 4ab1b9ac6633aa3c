SELECT txid_status(CAST($1 AS BIGINT))
