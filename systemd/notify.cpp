#include "systemd/notify.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

namespace penumbra::systemd {

namespace {

Result<void> send(std::string_view assignment, std::string_view status) {
    std::string text(status);
    // A line of its own would be an assignment of its own.
    std::ranges::replace_if(text, [](unsigned char c) { return c < 0x20; }, ' ');
    const std::string message = fmt::format("{}STATUS={}", assignment, text);
    const int sent = sd_notify(0, message.c_str());
    if (sent < 0) return fail_errno(-sent, "telling the service manager how this process is");
    return {};
}

}  // namespace

Result<void> notify_ready(std::string_view status) {
    return send("READY=1\n", status);
}

Result<void> notify_status(std::string_view status) {
    return send("", status);
}

Result<void> notify_stopping(std::string_view status) {
    return send("STOPPING=1\n", status);
}

}  // namespace penumbra::systemd
