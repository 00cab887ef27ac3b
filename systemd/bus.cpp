#include "systemd/bus.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <systemd/sd-bus.h>

#include "base/clock.hpp"
#include "base/limits.hpp"

namespace penumbra::systemd {

namespace {

constexpr const char* kService = "org.freedesktop.systemd1";
constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";

std::uint64_t microseconds(std::chrono::nanoseconds duration) {
    return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::microseconds>(duration).count());
}

class BusError {
 public:
    BusError() = default;
    BusError(const BusError&) = delete;
    BusError& operator=(const BusError&) = delete;
    BusError(BusError&&) = delete;
    BusError& operator=(BusError&&) = delete;
    ~BusError() { sd_bus_error_free(&error_); }
    [[nodiscard]] sd_bus_error* out() noexcept { return &error_; }

    [[nodiscard]] tl::unexpected<Error> as_failure(int code) const {
        // sd-bus's own name for a failed system call: the connection broke.
        if (error_.name == nullptr || std::string_view(error_.name).starts_with("System.Error.")) {
            return fail_errno(-code, "asking systemd over D-Bus");
        }
        return fail(code_of(error_.name),
                    fmt::format("systemd answers: {} ({})", error_.message == nullptr ? "nothing" : error_.message,
                                error_.name));
    }

 private:
    [[nodiscard]] static ErrorCode code_of(std::string_view name) {
        constexpr std::array<std::pair<std::string_view, ErrorCode>, 9> kCodes{{
            {"org.freedesktop.systemd1.NoSuchUnit", ErrorCode::kNotFound},
            {"org.freedesktop.systemd1.UnitExists", ErrorCode::kAlreadyExists},
            {"org.freedesktop.DBus.Error.AccessDenied", ErrorCode::kPermissionDenied},
            {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", ErrorCode::kPermissionDenied},
            {"org.freedesktop.DBus.Error.NoReply", ErrorCode::kUnavailable},
            {"org.freedesktop.DBus.Error.Timeout", ErrorCode::kUnavailable},
            {"org.freedesktop.DBus.Error.Disconnected", ErrorCode::kUnavailable},
            {"org.freedesktop.DBus.Error.ServiceUnknown", ErrorCode::kUnavailable},
            {"org.freedesktop.DBus.Error.NameHasNoOwner", ErrorCode::kUnavailable},
        }};
        for (const auto& [known, code] : kCodes)
            if (name == known) return code;
        return ErrorCode::kInternal;
    }

    sd_bus_error error_{};
};

int on_job_removed(sd_bus_message* message, void* user, sd_bus_error* /*error*/) {
    std::uint32_t id = 0;
    const char* path = nullptr;
    const char* unit = nullptr;
    const char* result = nullptr;
    if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) >= 0) {
        (*static_cast<std::function<void(const char*, const char*)>*>(user))(path, result);
    }
    return 0;
}

}  // namespace

Result<Bus> Bus::connect(const std::string& address) {
    sd_bus* raw = nullptr;
    int code = address.empty() ? sd_bus_open_system(&raw) : sd_bus_new(&raw);
    CHandle<sd_bus, sd_bus_flush_close_unref> bus(raw);
    if (code >= 0 && !address.empty()) code = sd_bus_set_address(raw, address.c_str());
    if (code >= 0 && !address.empty()) code = sd_bus_start(raw);
    if (code >= 0) code = sd_bus_set_method_call_timeout(raw, microseconds(limits::kBusCallTimeout));
    if (code < 0) {
        return fail(ErrorCode::kUnavailable,
                    fmt::format("systemd cannot be reached over D-Bus: {}; is dbus.service up?",
                                fail_errno(-code, "connecting").value().message));
    }
    return Bus(std::move(bus));
}

Result<BusMessage> Bus::manager_call(const char* method) {
    sd_bus_message* raw = nullptr;
    const int code = sd_bus_message_new_method_call(bus_.get(), &raw, kService, kManagerPath, kManager, method);
    if (code < 0) return fail_errno(-code, fmt::format("making a call of {}", method));
    return BusMessage(raw);
}

Result<BusMessage> Bus::send(const BusMessage& call) {
    BusError error;
    sd_bus_message* reply = nullptr;
    const int code = sd_bus_call(bus_.get(), call.get(), 0, error.out(), &reply);
    if (code < 0) return error.as_failure(code);
    return BusMessage(reply);
}

Result<std::string> Bus::text_property(const std::string& path, const char* interface, const char* name) {
    BusError error;
    char* text = nullptr;
    const int code =
        sd_bus_get_property_string(bus_.get(), kService, path.c_str(), interface, name, error.out(), &text);
    if (code < 0) return error.as_failure(code);
    const CHandle<char, std::free> owned(text);
    return std::string(text);
}

Result<void> Bus::watch_jobs(std::function<void(const char*, const char*)> job_ended) {
    job_ended_ = std::make_unique<std::function<void(const char*, const char*)>>(std::move(job_ended));
    // systemd's own socket names no sender.
    const char* sender = sd_bus_is_bus_client(bus_.get()) > 0 ? kService : nullptr;
    const int code = sd_bus_match_signal(bus_.get(), nullptr, sender, kManagerPath, kManager, "JobRemoved",
                                         on_job_removed, job_ended_.get());
    if (code < 0) return fail_errno(-code, "watching the jobs of systemd");
    TRY(send(TRY(manager_call("Subscribe"))));
    return {};
}

Result<void> Bus::wait(const std::function<bool()>& done, std::chrono::nanoseconds longest) {
    const SystemClock clock;
    const Instant deadline = clock.now() + longest;
    while (!done()) {
        const int handled = sd_bus_process(bus_.get(), nullptr);
        if (handled < 0) return fail_errno(-handled, "waiting for systemd");
        if (handled > 0) continue;
        const auto left = deadline - clock.now();
        if (left <= left.zero()) return fail(ErrorCode::kDeadlineExceeded, "systemd does not finish the job in time");
        const int waited = sd_bus_wait(bus_.get(), microseconds(left));
        if (waited < 0 && waited != -EINTR) return fail_errno(-waited, "waiting for systemd");
    }
    return {};
}

}  // namespace penumbra::systemd
