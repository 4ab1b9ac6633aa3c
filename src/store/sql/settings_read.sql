SELECT name, value FROM plugin_settings WHERE namespace = $1 AND enabled ORDER BY name
