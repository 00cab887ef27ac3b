#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/c_handle.hpp"
#include "base/result.hpp"

struct sd_bus;
struct sd_bus_message;
extern "C" sd_bus* sd_bus_flush_close_unref(sd_bus* bus);
extern "C" sd_bus_message* sd_bus_message_unref(sd_bus_message* message);

namespace penumbra::systemd {

using BusMessage = CHandle<sd_bus_message, sd_bus_message_unref>;

/// One connection to systemd over D-Bus, through libsystemd's sd-bus. Thread-bound; closed when destroyed. A call waits
/// at most limits::kBusCallTimeout. Errors of calls: kNotFound (no such unit), kAlreadyExists (such a unit is loaded),
/// kPermissionDenied, kUnavailable (no answer), kInternal (anything else, in the peer's words).
class Bus {
 public:
    /// The system bus where `address` is empty (or $DBUS_SYSTEM_BUS_ADDRESS); else a D-Bus address, of a bus or of
    /// systemd's own socket.
    [[nodiscard]] static Result<Bus> connect(const std::string& address);

    /// A call to org.freedesktop.systemd1.Manager, to be filled and sent.
    [[nodiscard]] Result<BusMessage> manager_call(const char* method);
    [[nodiscard]] Result<BusMessage> send(const BusMessage& call);
    /// A property of type `s`.
    [[nodiscard]] Result<std::string> text_property(const std::string& path, const char* interface, const char* name);

    /// Calls `job_ended(path, result)` for each job of systemd that ends from here on, while wait() runs.
    [[nodiscard]] Result<void> watch_jobs(std::function<void(const char*, const char*)> job_ended);
    /// Handles what arrives until `done` says so; kDeadlineExceeded after `longest`.
    [[nodiscard]] Result<void> wait(const std::function<bool()>& done, std::chrono::nanoseconds longest);

 private:
    explicit Bus(CHandle<sd_bus, sd_bus_flush_close_unref> bus) : bus_(std::move(bus)) {}
    CHandle<sd_bus, sd_bus_flush_close_unref> bus_;
    std::unique_ptr<std::function<void(const char*, const char*)>> job_ended_;
};

}  // namespace penumbra::systemd
