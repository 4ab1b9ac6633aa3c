#include "store/pickle.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Far beyond any setting; what is larger is an attempt to exhaust us. A list in a pickle takes up
 * to three nodes beside its items. */
#define MAX_DEPTH         100
#define MAX_VALUES        100000
#define MAX_NODES         (4 * MAX_VALUES)
#define MAX_INTEGER_BYTES 512

enum node_kind { NODE_VALUE, NODE_LIST, NODE_DICT, NODE_MARK };

/* What the pickle machine works on. Nodes may be shared, which values cannot. */
struct node {
    enum node_kind kind;
    struct value *scalar;
    struct node **items; /* of a dict: keys and values by turns */
    size_t count, capacity;
};

struct machine {
    const unsigned char *at, *end;
    struct node **nodes; /* all of them, the owner */
    size_t node_count, node_capacity;
    struct node **stack;
    size_t stack_count, stack_capacity;
    struct node **memo;
    size_t memo_count, memo_capacity;
    size_t memo_limit;
    size_t built; /* values made by build_value() */
    struct error *err;
};

static int fail(struct machine *machine, const char *what)
{
    return error_set(machine->err, ERR_DATABASE, "a setting in the database cannot be read: %s",
                     what);
}

static int refuse(struct machine *machine, const char *what)
{
    fail(machine, what);
    return error_hint(machine->err, "Set it again with 'config set --store=db'.");
}

/* --- reading -------------------------------------------------------------------------------- */

static struct node *new_node(struct machine *machine, enum node_kind kind)
{
    struct node *node = xcalloc(1, sizeof *node);

    node->kind = kind;
    GROW(machine->nodes, machine->node_count, machine->node_capacity);
    machine->nodes[machine->node_count++] = node;
    return node;
}

static void push(struct machine *machine, struct node *node)
{
    GROW(machine->stack, machine->stack_count, machine->stack_capacity);
    machine->stack[machine->stack_count++] = node;
}

static int push_scalar(struct machine *machine, struct value *value)
{
    struct node *node = new_node(machine, NODE_VALUE);

    node->scalar = value;
    push(machine, node);
    return 0;
}

static void append(struct node *node, struct node *item)
{
    GROW(node->items, node->count, node->capacity);
    node->items[node->count++] = item;
}

/* Takes size bytes of the input; NULL when there are not so many. */
static const unsigned char *take_bytes(struct machine *machine, uint64_t size)
{
    const unsigned char *bytes = machine->at;

    if (size > (uint64_t)(machine->end - machine->at)) {
        fail(machine, "it ends too early");
        return NULL;
    }
    machine->at += size;
    return bytes;
}

static int take_number(struct machine *machine, int width, uint64_t *out)
{
    const unsigned char *bytes = take_bytes(machine, (uint64_t)width);

    if (!bytes)
        return -1;
    *out = 0;
    for (int i = 0; i < width; i++)
        *out |= (uint64_t)bytes[i] << 8 * i;
    return 0;
}

/* A line without its end; protocol 0 has its arguments in lines. */
static char *take_line(struct machine *machine)
{
    const unsigned char *start = machine->at;
    const unsigned char *newline = memchr(start, '\n', (size_t)(machine->end - start));

    if (!newline) {
        fail(machine, "it ends too early");
        return NULL;
    }
    machine->at = newline + 1;
    return xstrndup((const char *)start, (size_t)(newline - start));
}

static int push_text(struct machine *machine, const char *bytes, size_t size)
{
    if (!utf8_is_valid(bytes, size))
        return fail(machine, "a string is not valid UTF-8");
    return push_scalar(machine, value_new_bytes(bytes, size));
}

static int read_counted_text(struct machine *machine, int width)
{
    const unsigned char *bytes;
    uint64_t size;

    if (take_number(machine, width, &size) < 0)
        return -1;
    bytes = take_bytes(machine, size);
    return bytes ? push_text(machine, (const char *)bytes, (size_t)size) : -1;
}

static int hex_number(const char *text, int digits, unsigned *out)
{
    *out = 0;
    for (int i = 0; i < digits; i++) {
        const char *hex = "0123456789abcdef", *digit;
        char c = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] + 32) : text[i];

        digit = c ? strchr(hex, c) : NULL;
        if (!digit)
            return -1;
        *out = *out * 16 + (unsigned)(digit - hex);
    }
    return 0;
}

/* Python's raw-unicode-escape: Latin-1 with \uXXXX and \UXXXXXXXX. */
static int read_line_text(struct machine *machine)
{
    auto_free char *line = take_line(machine);
    auto_strbuf struct strbuf text = STRBUF_INIT;

    if (!line)
        return -1;
    for (const char *at = line; *at;) {
        int digits = at[0] == '\\' && at[1] == 'u' ? 4 : at[0] == '\\' && at[1] == 'U' ? 8 : 0;
        unsigned code = (unsigned char)*at;

        if (digits && (hex_number(at + 2, digits, &code) < 0 || code > 0x10ffff))
            return fail(machine, "a string has a wrong escape");
        strbuf_add_utf8(&text, code);
        at += digits ? digits + 2 : 1;
    }
    return push_text(machine, strbuf_text(&text), text.length);
}

/* Decimal digits with an optional sign, as a pickle of protocol 0 may spell them: 007, -0. */
static int push_integer(struct machine *machine, const char *text)
{
    bool negative = *text == '-';
    const char *digits = text + negative;
    size_t length = strspn(digits, "0123456789");
    auto_free char *plain = NULL;

    if (!length || digits[length])
        return fail(machine, "an integer has other characters than digits");
    digits += strspn(digits, "0");
    plain = *digits ? xasprintf("%s%s", negative ? "-" : "", digits) : xstrdup("0");
    return push_scalar(machine, value_new_number(VALUE_INT, plain));
}

static int read_line_integer(struct machine *machine, bool is_long)
{
    auto_free char *line = take_line(machine);
    size_t length = line ? strlen(line) : 0;

    if (!line)
        return -1;
    if (!is_long && (!strcmp(line, "00") || !strcmp(line, "01")))
        return push_scalar(machine, value_new_bool(line[1] == '1'));
    if (is_long && length && line[length - 1] == 'L')
        line[length - 1] = '\0';
    return push_integer(machine, line);
}

/* Little-endian two's complement of any length. */
static int read_long_integer(struct machine *machine, int width)
{
    unsigned char magnitude[MAX_INTEGER_BYTES];
    char digits[3 * MAX_INTEGER_BYTES + 2];
    char *at = digits + sizeof digits - 1;
    const unsigned char *bytes;
    bool negative;
    uint64_t size;

    if (take_number(machine, width, &size) < 0)
        return -1;
    bytes = take_bytes(machine, size);
    if (!bytes)
        return -1;
    if (size > sizeof magnitude)
        return fail(machine, "an integer is too long");
    negative = size && bytes[size - 1] & 0x80;
    for (size_t i = 0, carry = 1; i < size; i++) {
        unsigned byte = negative ? (unsigned char)~bytes[i] + (unsigned)carry : bytes[i];

        magnitude[i] = (unsigned char)byte;
        carry = byte >> 8;
    }
    *at = '\0';
    do {
        unsigned rest = 0;

        for (size_t i = size; i-- > 0;) {
            rest = rest << 8 | magnitude[i];
            magnitude[i] = (unsigned char)(rest / 10);
            rest %= 10;
        }
        *--at = (char)('0' + rest);
        while (size && !magnitude[size - 1])
            size--;
    } while (size);
    if (negative)
        *--at = '-';
    return push_integer(machine, at);
}

static int push_real(struct machine *machine, double number)
{
    auto_free char *exact = xasprintf("%.17g", number);
    auto_value struct value *value = value_new_number(VALUE_REAL, exact);
    auto_strbuf struct strbuf text = STRBUF_INIT;

    if (!isfinite(number))
        strbuf_add(&text, isnan(number) ? "NaN" : number < 0 ? "-Infinity" : "Infinity");
    else
        strbuf_add_py_repr(&text, value);
    return push_scalar(machine, value_new_number(VALUE_REAL, strbuf_text(&text)));
}

static int read_binary_real(struct machine *machine)
{
    const unsigned char *bytes = take_bytes(machine, 8);
    uint64_t bits = 0;
    double number;

    if (!bytes)
        return -1;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | bytes[i];
    memcpy(&number, &bits, sizeof number);
    return push_real(machine, number);
}

static int read_line_real(struct machine *machine)
{
    auto_free char *line = take_line(machine);
    char *end;
    double number;

    if (!line)
        return -1;
    number = strtod(line, &end);
    return *line && !*end ? push_real(machine, number) : fail(machine, "a number is malformed");
}

/* The top of the stack, which must be an item and not a mark. */
static struct node *pop(struct machine *machine)
{
    struct node *top;

    if (!machine->stack_count || machine->stack[machine->stack_count - 1]->kind == NODE_MARK) {
        fail(machine, "its stack runs empty");
        return NULL;
    }
    top = machine->stack[--machine->stack_count];
    return top;
}

/* Moves what lies above the last mark, and then the mark, off the stack and into node. */
static int pop_marked(struct machine *machine, struct node *node)
{
    size_t mark = machine->stack_count;

    do {
        if (!mark)
            return fail(machine, "a mark is missing");
    } while (machine->stack[--mark]->kind != NODE_MARK);
    for (size_t i = mark + 1; i < machine->stack_count; i++)
        append(node, machine->stack[i]);
    machine->stack_count = mark;
    return 0;
}

static int check_pairs(struct machine *machine, const struct node *dict)
{
    return dict->count % 2 ? fail(machine, "a key has no value") : 0;
}

/* A list or dict of what lies above the mark. */
static int push_marked(struct machine *machine, enum node_kind kind)
{
    struct node *node = new_node(machine, kind);

    if (pop_marked(machine, node) < 0 || (kind == NODE_DICT && check_pairs(machine, node) < 0))
        return -1;
    push(machine, node);
    return 0;
}

static int push_tuple(struct machine *machine, size_t count)
{
    struct node *node = new_node(machine, NODE_LIST);
    size_t first = machine->stack_count - count;

    if (machine->stack_count < count)
        return fail(machine, "its stack runs empty");
    for (size_t i = 0; i < count; i++) {
        if (machine->stack[first + i]->kind == NODE_MARK)
            return fail(machine, "its stack runs empty");
        append(node, machine->stack[first + i]);
    }
    machine->stack_count = first;
    push(machine, node);
    return 0;
}

/* Appends what lies above the mark to the list or dict below it. */
static int extend_marked(struct machine *machine, enum node_kind kind)
{
    struct node *items = new_node(machine, NODE_LIST), *into;

    if (pop_marked(machine, items) < 0 || (kind == NODE_DICT && check_pairs(machine, items) < 0))
        return -1;
    if (!machine->stack_count)
        return fail(machine, "its stack runs empty");
    into = machine->stack[machine->stack_count - 1];
    if (into->kind != kind)
        return fail(machine, "it adds to what is no collection");
    for (size_t i = 0; i < items->count; i++)
        append(into, items->items[i]);
    return 0;
}

static int extend_one(struct machine *machine, enum node_kind kind)
{
    struct node *value = pop(machine), *key = value;
    struct node *into;

    if (kind == NODE_DICT && value)
        key = pop(machine);
    if (!value || !key)
        return -1;
    if (!machine->stack_count || machine->stack[machine->stack_count - 1]->kind != kind)
        return fail(machine, "it adds to what is no collection");
    into = machine->stack[machine->stack_count - 1];
    if (kind == NODE_DICT)
        append(into, key);
    append(into, value);
    return 0;
}

static int memo_put(struct machine *machine, uint64_t index)
{
    if (!machine->stack_count || machine->stack[machine->stack_count - 1]->kind == NODE_MARK)
        return fail(machine, "its stack runs empty");
    /* A pickler counts from 0: no index is larger than the number of its instructions. */
    if (index > machine->memo_limit)
        return fail(machine, "a memo index is too large");
    while (machine->memo_count <= index) {
        GROW(machine->memo, machine->memo_count, machine->memo_capacity);
        machine->memo[machine->memo_count++] = NULL;
    }
    machine->memo[index] = machine->stack[machine->stack_count - 1];
    return 0;
}

static int memo_get(struct machine *machine, uint64_t index)
{
    if (index >= machine->memo_count || !machine->memo[index])
        return fail(machine, "a memo index is unknown");
    push(machine, machine->memo[index]);
    return 0;
}

static int with_memo(struct machine *machine, int width, int (*use)(struct machine *, uint64_t))
{
    uint64_t index;

    if (width)
        return take_number(machine, width, &index) < 0 ? -1 : use(machine, index);
    auto_free char *line = take_line(machine);
    char *end;

    if (!line)
        return -1;
    index = strtoull(line, &end, 10);
    return *line && !*end ? use(machine, index) : fail(machine, "a memo index is malformed");
}

static int push_small_integer(struct machine *machine, int width)
{
    uint64_t bits;

    if (take_number(machine, width, &bits) < 0)
        return -1;
    return push_scalar(machine, value_new_int(width == 4 ? (int32_t)(uint32_t)bits : (int)bits));
}

static int skip_argument(struct machine *machine, int width)
{
    uint64_t ignored;

    return take_number(machine, width, &ignored);
}

static int duplicate_top(struct machine *machine)
{
    struct node *top = pop(machine);

    if (!top)
        return -1;
    push(machine, top);
    push(machine, top);
    return 0;
}

/* Carries out one instruction; the letters are those of Python's pickle module. */
static int step(struct machine *machine, unsigned char opcode)
{
    switch (opcode) {
    case 0x80: /* PROTO */
        return skip_argument(machine, 1);
    case 0x95: /* FRAME */
        return skip_argument(machine, 8);
    case '(': /* MARK */
        push(machine, new_node(machine, NODE_MARK));
        return 0;
    case '0': /* POP */
        return pop(machine) ? 0 : -1;
    case '1': /* POP_MARK */
        return pop_marked(machine, new_node(machine, NODE_LIST));
    case '2': /* DUP */
        return duplicate_top(machine);
    case 'N': /* NONE */
        return push_scalar(machine, value_new_null());
    case 0x88: /* NEWTRUE */
    case 0x89: /* NEWFALSE */
        return push_scalar(machine, value_new_bool(opcode == 0x88));
    case 'I': /* INT */
    case 'L': /* LONG */
        return read_line_integer(machine, opcode == 'L');
    case 'J': /* BININT */
        return push_small_integer(machine, 4);
    case 'K': /* BININT1 */
        return push_small_integer(machine, 1);
    case 'M': /* BININT2 */
        return push_small_integer(machine, 2);
    case 0x8a: /* LONG1 */
        return read_long_integer(machine, 1);
    case 0x8b: /* LONG4 */
        return read_long_integer(machine, 4);
    case 'F': /* FLOAT */
        return read_line_real(machine);
    case 'G': /* BINFLOAT */
        return read_binary_real(machine);
    case 'V': /* UNICODE */
        return read_line_text(machine);
    case 0x8c: /* SHORT_BINUNICODE */
        return read_counted_text(machine, 1);
    case 'X': /* BINUNICODE */
        return read_counted_text(machine, 4);
    case 0x8d: /* BINUNICODE8 */
        return read_counted_text(machine, 8);
    case ']': /* EMPTY_LIST */
    case ')': /* EMPTY_TUPLE */
        push(machine, new_node(machine, NODE_LIST));
        return 0;
    case '}': /* EMPTY_DICT */
        push(machine, new_node(machine, NODE_DICT));
        return 0;
    case 'l': /* LIST */
    case 't': /* TUPLE */
        return push_marked(machine, NODE_LIST);
    case 'd': /* DICT */
        return push_marked(machine, NODE_DICT);
    case 0x85: /* TUPLE1 */
    case 0x86: /* TUPLE2 */
    case 0x87: /* TUPLE3 */
        return push_tuple(machine, opcode - 0x84u);
    case 'a': /* APPEND */
        return extend_one(machine, NODE_LIST);
    case 's': /* SETITEM */
        return extend_one(machine, NODE_DICT);
    case 'e': /* APPENDS */
        return extend_marked(machine, NODE_LIST);
    case 'u': /* SETITEMS */
        return extend_marked(machine, NODE_DICT);
    case 0x94: /* MEMOIZE */
        return memo_put(machine, machine->memo_count);
    case 'p': /* PUT */
        return with_memo(machine, 0, memo_put);
    case 'q': /* BINPUT */
        return with_memo(machine, 1, memo_put);
    case 'r': /* LONG_BINPUT */
        return with_memo(machine, 4, memo_put);
    case 'g': /* GET */
        return with_memo(machine, 0, memo_get);
    case 'h': /* BINGET */
        return with_memo(machine, 1, memo_get);
    case 'j': /* LONG_BINGET */
        return with_memo(machine, 4, memo_get);
    case 'S':  /* STRING */
    case 'T':  /* BINSTRING */
    case 'U':  /* SHORT_BINSTRING */
    case 'B':  /* BINBYTES */
    case 'C':  /* SHORT_BINBYTES */
    case 0x8e: /* BINBYTES8 */
    case 0x96: /* BYTEARRAY8 */
        return refuse(machine, "it holds bytes");
    case 0x8f: /* EMPTY_SET */
    case 0x91: /* FROZENSET */
        return refuse(machine, "it holds a set");
    case 'c':  /* GLOBAL */
    case 'i':  /* INST */
    case 0x93: /* STACK_GLOBAL */
        return refuse(machine, "it holds an object of a Python class, such as a date");
    default:
        return refuse(machine, "it is no pickle of plain values");
    }
}

static struct value *build_value(struct machine *machine, const struct node *node, int depth);

static struct value *build_list(struct machine *machine, const struct node *node, int depth)
{
    auto_value struct value *list = value_new_list();

    for (size_t i = 0; i < node->count; i++) {
        struct value *item = build_value(machine, node->items[i], depth + 1);

        if (!item)
            return NULL;
        value_append_take(list, item);
    }
    return take(list);
}

static struct value *build_dict(struct machine *machine, const struct node *node, int depth)
{
    auto_value struct value *map = value_new_map();

    for (size_t i = 0; i < node->count; i += 2) {
        const struct node *key = node->items[i];
        struct value *item;

        if (key->kind != NODE_VALUE || !value_is_string(key->scalar)) {
            refuse(machine, "it holds a dictionary with keys that are no strings");
            return NULL;
        }
        item = build_value(machine, node->items[i + 1], depth + 1);
        if (!item)
            return NULL;
        value_set_take(map, value_text(key->scalar), item);
    }
    return take(map);
}

static struct value *build_value(struct machine *machine, const struct node *node, int depth)
{
    if (depth > MAX_DEPTH || ++machine->built > MAX_VALUES) {
        fail(machine, "it is too large");
        return NULL;
    }
    if (node->kind == NODE_LIST)
        return build_list(machine, node, depth);
    if (node->kind == NODE_DICT)
        return build_dict(machine, node, depth);
    return value_copy(node->scalar);
}

static int run(struct machine *machine, struct value **out)
{
    struct node *top;

    for (;;) {
        const unsigned char *opcode = take_bytes(machine, 1);

        if (!opcode)
            return -1;
        if (*opcode == '.')
            break;
        if (step(machine, *opcode) < 0)
            return -1;
        if (machine->node_count > MAX_NODES)
            return fail(machine, "it is too large");
    }
    top = pop(machine);
    *out = top ? build_value(machine, top, 0) : NULL;
    return *out ? 0 : -1;
}

int pickle_read(const void *bytes, size_t size, struct value **out, struct error *err)
{
    struct machine machine = {.at = bytes, .memo_limit = size, .err = err};
    struct value *value = NULL;
    int failed;

    machine.end = machine.at + size;
    failed = run(&machine, &value);
    for (size_t i = 0; i < machine.node_count; i++) {
        value_free(machine.nodes[i]->scalar);
        free(machine.nodes[i]->items);
        free(machine.nodes[i]);
    }
    free(machine.nodes);
    free(machine.stack);
    free(machine.memo);
    if (!failed)
        *out = value;
    return failed;
}

/* --- writing -------------------------------------------------------------------------------- */

static void add_number(struct strbuf *out, uint64_t number, int width)
{
    for (int i = 0; i < width; i++)
        strbuf_add_char(out, (char)(number >> 8 * i));
}

/* MEMOIZE follows what Python's own pickler remembers, so that the bytes are the same. */
static void write_text(struct strbuf *out, const char *text, size_t length)
{
    if (length < 256) {
        strbuf_add_char(out, '\x8c');
        add_number(out, length, 1);
    } else {
        strbuf_add_char(out, 'X');
        add_number(out, length, 4);
    }
    strbuf_add_bytes(out, text, length);
    strbuf_add_char(out, '\x94');
}

/* Decimal digits as little-endian two's complement. */
static void write_long_integer(struct strbuf *out, const char *text)
{
    bool negative = *text == '-';
    size_t digits = strlen(text += negative), size = 0;
    auto_free unsigned char *bytes = xcalloc(digits / 2 + 2, 1);

    for (; *text; text++) {
        unsigned carry = (unsigned)(*text - '0');

        for (size_t i = 0; i < size || carry; i++) {
            carry += bytes[i] * 10u;
            bytes[i] = (unsigned char)carry;
            carry >>= 8;
            size = i < size ? size : i + 1;
        }
    }
    for (size_t i = 0, carry = 1; negative && i <= size; i++) {
        unsigned byte = (unsigned char)~bytes[i] + (unsigned)carry;

        bytes[i] = (unsigned char)byte;
        carry = byte >> 8;
    }
    /* One more byte where the sign would be lost. */
    if (size && (negative ? !(bytes[size - 1] & 0x80) : bytes[size - 1] & 0x80))
        size++;
    strbuf_add_char(out, size < 256 ? '\x8a' : '\x8b');
    add_number(out, size, size < 256 ? 1 : 4);
    strbuf_add_bytes(out, bytes, size);
}

static void write_integer(struct strbuf *out, const struct value *value)
{
    long long number = value_to_int(value, INT64_MAX);

    if (number >= 0 && number < 256) {
        strbuf_add_char(out, 'K');
        add_number(out, (uint64_t)number, 1);
    } else if (number >= 0 && number < 65536) {
        strbuf_add_char(out, 'M');
        add_number(out, (uint64_t)number, 2);
    } else if (number >= INT32_MIN && number <= INT32_MAX) {
        strbuf_add_char(out, 'J');
        add_number(out, (uint64_t)number, 4);
    } else {
        write_long_integer(out, value_text(value));
    }
}

static void write_real(struct strbuf *out, const struct value *value)
{
    const char *text = value_text(value);
    double number = strtod(text, NULL);
    uint64_t bits;

    memcpy(&bits, &number, sizeof bits);
    strbuf_add_char(out, 'G');
    for (int i = 7; i >= 0; i--)
        strbuf_add_char(out, (char)(bits >> 8 * i));
}

static void write_value(struct strbuf *out, const struct value *value);

static void write_list(struct strbuf *out, const struct value *value)
{
    size_t count = value_count(value);

    strbuf_add(out, "]\x94");
    if (count > 1)
        strbuf_add_char(out, '(');
    for (size_t i = 0; i < count; i++)
        write_value(out, value_at(value, i));
    if (count)
        strbuf_add_char(out, count > 1 ? 'e' : 'a');
}

static void write_map(struct strbuf *out, const struct value *value)
{
    size_t count = value_count(value);

    strbuf_add(out, "}\x94");
    if (count > 1)
        strbuf_add_char(out, '(');
    for (size_t i = 0; i < count; i++) {
        const struct value_member *member = value_member_at(value, i);

        write_text(out, member->key, strlen(member->key));
        write_value(out, member->value);
    }
    if (count)
        strbuf_add_char(out, count > 1 ? 'u' : 's');
}

static void write_value(struct strbuf *out, const struct value *value)
{
    switch (value_kind(value)) {
    case VALUE_NULL:
        strbuf_add_char(out, 'N');
        break;
    case VALUE_BOOL:
        strbuf_add_char(out, value->boolean ? '\x88' : '\x89');
        break;
    case VALUE_INT:
        write_integer(out, value);
        break;
    case VALUE_REAL:
        write_real(out, value);
        break;
    case VALUE_STRING:
    case VALUE_DATE:
        write_text(out, value->text.bytes, value->text.length);
        break;
    case VALUE_LIST:
        write_list(out, value);
        break;
    case VALUE_MAP:
        write_map(out, value);
        break;
    }
}

void pickle_write(struct strbuf *out, const struct value *value)
{
    auto_strbuf struct strbuf body = STRBUF_INIT;

    write_value(&body, value);
    strbuf_add_char(&body, '.');
    strbuf_add(out, "\x80\x05");
    if (body.length >= 4) {
        strbuf_add_char(out, '\x95');
        add_number(out, body.length, 8);
    }
    strbuf_add_bytes(out, body.text, body.length);
}
