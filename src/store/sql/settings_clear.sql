DELETE FROM plugin_settings WHERE namespace = $1
