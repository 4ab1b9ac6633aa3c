INSERT INTO plugin_settings (name, namespace, value, enabled) VALUES ($1, $2, $3, $4)
ON CONFLICT (name, namespace) DO UPDATE SET value = excluded.value, enabled = excluded.enabled
