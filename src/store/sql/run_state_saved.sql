UPDATE runs SET payload = $2,
                payload_flags = CASE WHEN payload_flags > CAST($3 AS INTEGER) THEN payload_flags
                                     ELSE CAST($3 AS INTEGER) END
WHERE id = $1
