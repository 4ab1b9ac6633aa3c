DELETE FROM plugin_settings WHERE namespace = $1 AND name = $2
