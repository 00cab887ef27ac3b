#pragma once

#include <memory>

namespace penumbra {

/// Calls a C library's free function; nothing is stored, so a handle is as wide as a pointer.
template <auto FreeFunction>
struct CDeleter {
    template <class T>
    void operator()(T* pointer) const noexcept {
        static_cast<void>(FreeFunction(pointer));
    }
};

/// Owner of a C library's object: `using Domain = CHandle<virDomain, virDomainFree>;`
template <class T, auto FreeFunction>
using CHandle = std::unique_ptr<T, CDeleter<FreeFunction>>;

static_assert(sizeof(std::unique_ptr<int, CDeleter<[](int*) {}>>) == sizeof(int*));

}  // namespace penumbra
