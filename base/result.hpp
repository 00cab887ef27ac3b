#pragma once

#include <concepts>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

namespace penumbra {

/// What kind of failure it is, for code that decides; people read the message.
enum class ErrorCode : unsigned char {
    kInvalidArgument,    ///< what was asked is malformed; asking again cannot help
    kNotFound,           ///< the named thing does not exist
    kAlreadyExists,      ///< the thing to be made is there already
    kPermissionDenied,   ///< policy, fence or ceiling says no
    kUnavailable,        ///< a peer or daemon is down; asking later may help
    kDeadlineExceeded,   ///< the time allowed ran out
    kConflict,           ///< somebody else changed it since
    kResourceExhausted,  ///< disk, memory, a limit of base/limits.hpp
    kDataLoss,           ///< bytes that must be there are not, or differ
    kUnsupported,        ///< this host, version or object cannot do it
    kCancelled,          ///< stopped on request
    kInternal,           ///< our own fault
};

/// The word for a code, as logs, JSON and the CLI print it ("not_found").
[[nodiscard]] std::string_view to_string(ErrorCode code) noexcept;

/// One failure: a sentence that says what, where and what to do; failures met while cleaning up are kept beside it.
struct Error {
    ErrorCode code = ErrorCode::kInternal;
    std::string message;
    std::source_location where = std::source_location::current();
    std::vector<Error> followed_by;

    /// Message with everything that followed, on one line: what a person is shown.
    [[nodiscard]] std::string describe() const;
};

/// A value or an Error. Dropping one is a warning, and warnings are errors. Early return by TRY, no monadic chains.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
    using tl::expected<T, Error>::expected;
};

/// The failing half of a Result: `return fail(ErrorCode::kNotFound, fmt::format(...));`
[[nodiscard]] tl::unexpected<Error> fail(ErrorCode code, std::string message,
                                         std::source_location where = std::source_location::current());

/// Puts what was being done in front of an error's message: "creating shadow s1: " + message.
[[nodiscard]] tl::unexpected<Error> fail_in(std::string_view context, Error error);

/// A failed system call, in words: `context: strerror(errno_value)`, with the code that fits the errno.
[[nodiscard]] tl::unexpected<Error> fail_errno(int errno_value, std::string_view context,
                                               std::source_location where = std::source_location::current());

/// Keeps a failure met during clean-up: the first error stays the error, the second one follows it.
template <class T, class U>
void follow_by(Result<T>& first, const Result<U>& second) {
    if (first.has_value() || second.has_value()) return;
    first.error().followed_by.push_back(second.error());
}

/// Ends the process: an own bug was met. Called by ASSERT only.
[[noreturn]] void assertion_failed(std::string_view condition, std::source_location where);

namespace detail {
template <class T>
T take_value(Result<T>&& result) {
    return std::move(*result);
}
inline void take_value(Result<void>&&) {}
}  // namespace detail

}  // namespace penumbra

#define PENUMBRA_JOIN_INNER(a, b) a##b
#define PENUMBRA_JOIN(a, b) PENUMBRA_JOIN_INNER(a, b)
#define PENUMBRA_TRY(name, ...)                               \
    __extension__({                                           \
        auto name = (__VA_ARGS__);                            \
        if (!name.has_value()) [[unlikely]]                   \
            return ::tl::unexpected(std::move(name).error()); \
        ::penumbra::detail::take_value(std::move(name));      \
    })

/// The value of a Result, or an early return of its error from the enclosing function.
#define TRY(...) PENUMBRA_TRY(PENUMBRA_JOIN(try_result_, __COUNTER__), __VA_ARGS__)

/// Checks what only an own bug can break; active in every build.
#define ASSERT(...)                                                                      \
    do {                                                                                 \
        if (!(__VA_ARGS__)) [[unlikely]]                                                 \
            ::penumbra::assertion_failed(#__VA_ARGS__, std::source_location::current()); \
    } while (false)
