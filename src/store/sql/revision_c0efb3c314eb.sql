-- The tables of the web application that is no more.
DROP TABLE IF EXISTS roles_users;
DROP TABLE IF EXISTS role_permissions;
DROP TABLE IF EXISTS oauth;
DROP TABLE IF EXISTS embed_tokens;
DROP TABLE IF EXISTS subscriptions;
DROP TABLE IF EXISTS role;
DROP INDEX IF EXISTS ix_user_username;
DROP TABLE IF EXISTS "user";
