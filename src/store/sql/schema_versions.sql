SELECT version_num, (SELECT MAX(version) FROM meltshim_schema) FROM alembic_version
