/* base/embed.h - files built into the program: templates/ and src/store/sql/.
 * The text of templates/dag.py is EMBED(templates_dag_py), once declared. */
#ifndef BASE_EMBED_H
#define BASE_EMBED_H

#define EMBED_DECLARE(name) extern const char embedded_##name[]
#define EMBED(name)         embedded_##name

#endif
