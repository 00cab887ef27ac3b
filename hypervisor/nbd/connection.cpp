#include "hypervisor/nbd/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "base/clock.hpp"

namespace penumbra::hypervisor::nbd {
namespace {

/// What one question about block status brought; filled by the two callbacks.
struct Reply {
    const std::string* context = nullptr;
    const std::function<bool(std::uint32_t)>* matches = nullptr;
    ExtentSet found;
    std::uint64_t reached = 0;
    bool complete = false;
    int error = 0;
};

int on_extents(void* user, const char* context, std::uint64_t offset, std::uint32_t* entries, std::size_t count,
               int* error) noexcept {
    auto& reply = *static_cast<Reply*>(user);
    if (*error != 0 || *reply.context != context) return 0;
    std::uint64_t at = offset;
    for (std::size_t i = 0; i + 1 < count; i += 2) {
        const std::uint64_t end = at + entries[i];
        if ((*reply.matches)(entries[i + 1])) reply.found.insert({.begin = at, .end = end});
        at = end;
    }
    reply.reached = std::max(reply.reached, at);
    return 0;
}

int on_complete(void* user, int* error) noexcept {
    auto& reply = *static_cast<Reply*>(user);
    reply.error = *error;
    reply.complete = true;
    return 1;  // retire the command
}

std::string name_of(const Endpoint& endpoint) {
    return fmt::format("NBD export {} at {}", endpoint.export_name, endpoint.socket.native());
}

/// Lets libnbd work until `done`. The deadline is for the whole wait.
Result<void> work_until(nbd_handle* handle, std::chrono::milliseconds patience, const std::string& doing,
                        const std::function<bool()>& done) {
    const Instant deadline = BootClock::now() + patience;
    while (!done()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - BootClock::now());
        if (left.count() <= 0)
            return fail(ErrorCode::kDeadlineExceeded,
                        fmt::format("{}: no answer for {} ms: look whether the server's process is stopped", doing,
                                    patience.count()));
        if (::nbd_poll(handle, static_cast<int>(left.count())) == -1) return fail_nbd(doing);
        if (::nbd_aio_is_dead(handle) == 1 || ::nbd_aio_is_closed(handle) == 1)
            return fail(ErrorCode::kUnavailable, fmt::format("{}: the server closed the connection", doing));
    }
    return {};
}

Result<void> ask(nbd_handle* handle, const Endpoint& endpoint, Extent window, Reply& reply) {
    const std::string doing = "asking " + name_of(endpoint) + " for " + endpoint.context;
    reply.reached = window.begin;
    while (reply.reached < window.end) {
        const std::uint64_t begin = reply.reached;
        const std::uint64_t length = std::min(window.end - begin, limits::kBlockStatusBytesMax);
        reply.complete = false;
        const nbd_extent_callback extents{.callback = on_extents, .user_data = &reply, .free = nullptr};
        const nbd_completion_callback complete{.callback = on_complete, .user_data = &reply, .free = nullptr};
        if (::nbd_aio_block_status(handle, length, begin, extents, complete, 0) == -1) return fail_nbd(doing);
        TRY(work_until(handle, endpoint.patience.answer, doing, [&] { return reply.complete; }));
        if (reply.error != 0)
            return fail(ErrorCode::kUnavailable, fmt::format("{}: {}", doing, std::strerror(reply.error)));
        if (reply.reached <= begin)
            return fail(ErrorCode::kUnavailable, fmt::format("{}: it said nothing about byte {}", doing, begin));
    }
    return {};
}

}  // namespace

tl::unexpected<Error> fail_nbd(std::string_view doing) {
    const char* text = ::nbd_get_error();
    return fail(ErrorCode::kUnavailable, fmt::format("{}: {}", doing, text == nullptr ? "unknown NBD error" : text));
}

Result<Handle> connect(const Endpoint& endpoint) {
    const std::string doing = "connecting to " + name_of(endpoint);
    Handle handle(::nbd_create());
    if (!handle) return fail_nbd(doing);
    if (::nbd_set_export_name(handle.get(), endpoint.export_name.c_str()) == -1) return fail_nbd(doing);
    if (!endpoint.context.empty() && ::nbd_add_meta_context(handle.get(), endpoint.context.c_str()) == -1)
        return fail_nbd(doing);
    if (::nbd_aio_connect_unix(handle.get(), endpoint.socket.c_str()) == -1) return fail_nbd(doing);
    TRY(work_until(handle.get(), endpoint.patience.connect, doing,
                   [&] { return ::nbd_aio_is_ready(handle.get()) == 1; }));
    if (!endpoint.context.empty() && ::nbd_can_meta_context(handle.get(), endpoint.context.c_str()) != 1)
        return fail(ErrorCode::kUnsupported,
                    fmt::format("{} does not offer {}, so nothing tells what to copy: take a full generation",
                                name_of(endpoint), endpoint.context));
    return handle;
}

Result<ExtentSet> block_status(const Endpoint& endpoint, const ExtentSet& windows,
                               const std::function<bool(std::uint32_t)>& matches) {
    Reply reply{.context = &endpoint.context, .matches = &matches};
    // Declared after what its callbacks write to: a question still open when we give up dies with the connection.
    const Handle handle = TRY(connect(endpoint));
    for (const Extent& window : windows.extents())
        TRY(ask(handle.get(), endpoint, window, reply));
    return reply.found.intersect(windows);
}

}  // namespace penumbra::hypervisor::nbd
