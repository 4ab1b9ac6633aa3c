/* A text that anybody may have written, read as YAML. What can be read is edited: first to what it
 * says already, which must leave its bytes, then to have one key more, which must read back as
 * that or be refused. */
#include "base/yaml.h"
#include "base/yaml_edit.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    const char *text = (const char *)bytes;
    auto_strbuf struct strbuf same = STRBUF_INIT;
    auto_strbuf struct strbuf edited = STRBUF_INIT;
    auto_value struct value *value = NULL;
    struct error err = {0};

    if (value_from_yaml(text, size, "fuzz.yml", &value, &err) < 0)
        return 0;
    assert(!value_edit_yaml(text, size, "fuzz.yml", value, &same, &err));
    assert(same.length == size && !memcmp(strbuf_text(&same), text, size));
    if (!value_is_map(value))
        return 0;
    value_set_string(value, "an added key", "a: value\n");
    if (value_edit_yaml(text, size, "fuzz.yml", value, &edited, &err) < 0)
        assert(strstr(err.message, "cannot be changed"));
    return 0;
}
