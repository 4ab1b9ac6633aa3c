SELECT MAX(version) FROM meltshim_schema
