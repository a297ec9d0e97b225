// Included after every kernel source, with one EMULATED_KERNEL for each __global__ function that the source defines.
#pragma once
#include "emulated/language.h"

namespace emulated {

constexpr unsigned aligned(unsigned offset, unsigned alignment) {
    return (offset + alignment - 1) / alignment * alignment;
}

template <unsigned index, typename First, typename... Rest>
struct nth {
    using type = typename nth<index - 1, Rest...>::type;
};

template <typename First, typename... Rest>
struct nth<0, First, Rest...> {
    using type = First;
};

template <unsigned... indices>
struct sequence {};

template <unsigned count, unsigned... indices>
struct make_sequence : make_sequence<count - 1, count - 1, indices...> {};

template <unsigned... indices>
struct make_sequence<0, indices...> {
    using type = sequence<indices...>;
};

template <typename... Parameters>
struct layout {
    static constexpr unsigned count = sizeof...(Parameters);
    emulated_parameter parameters[count == 0 ? 1 : count]{};
    unsigned bytes = 0;

    constexpr layout() {
        unsigned index = 0;
        ((parameters[index++] = add(sizeof(Parameters), alignof(Parameters))), ...);
    }

    constexpr emulated_parameter add(unsigned size, unsigned alignment) {
        const unsigned offset = aligned(bytes, alignment);
        bytes = offset + size;
        return {offset, size};
    }
};

// Arguments arrive as one block of bytes; it is the library's memory, which the watcher must not see.
template <auto kernel>
struct thunk;

template <typename... Parameters, void (*kernel)(Parameters...)>
struct thunk<kernel> {
    static constexpr layout<Parameters...> parameters{};

    template <unsigned... indices>
    __attribute__((no_sanitize_thread)) static void unpack(const unsigned char* arguments, sequence<indices...>) {
        kernel(*(const typename nth<indices, Parameters...>::type*)(arguments + parameters.parameters[indices].offset)...);
    }

    __attribute__((no_sanitize_thread)) static void call(const unsigned char* arguments) {
        unpack(arguments, typename make_sequence<sizeof...(Parameters)>::type{});
    }
};

struct bounds {
    unsigned threads = 0;
    unsigned blocks = 0;
};

template <auto kernel>
constexpr emulated_kernel describe(const char* name, bounds limits) {
    using made = thunk<kernel>;
    return {name, &made::call, made::parameters.parameters, made::parameters.count, made::parameters.bytes, limits.threads, limits.blocks};
}

}

#define EMULATED_KERNEL(name, ...) \
    static constexpr emulated_kernel emulated_kernel_##name = emulated::describe<&name>(#name, emulated::bounds{__VA_ARGS__});

#define EMULATED_KERNELS(...)                                                                                                                 \
    static const emulated_kernel* const emulated_kernel_list[] = {__VA_ARGS__};                                                               \
    extern "C" __attribute__((visibility("default"))) const emulated_kernel_table emulated_kernels = {                                        \
        emulated_kernel_list, sizeof(emulated_kernel_list) / sizeof(emulated_kernel_list[0]), __CUDA_ARCH__};
