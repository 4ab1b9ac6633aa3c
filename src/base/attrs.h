/* base/attrs.h - compiler attributes and the small macros every module uses. */
#ifndef BASE_ATTRS_H
#define BASE_ATTRS_H

#define ATTR_PRINTF(format_at, first_at) __attribute__((format(printf, format_at, first_at)))
#define ATTR_NORETURN                    __attribute__((noreturn))
#define ATTR_UNUSED                      __attribute__((unused))
#define ATTR_CLEANUP(fn)                 __attribute__((cleanup(fn)))

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* Defines name##_auto(), which frees the pointer a variable holds when it leaves its scope. */
#define DEFINE_AUTO_FREE(type, name, free_fn)                                                      \
    static inline void name##_auto(type **pointer)                                                 \
    {                                                                                              \
        if (*pointer)                                                                              \
            free_fn(*pointer);                                                                     \
    }

/* Moves the value out of an owning pointer variable and leaves NULL behind. */
#define take(pointer)                                                                              \
    __extension__({                                                                                \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })

#endif
