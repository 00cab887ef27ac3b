#include "systemd/bus_unit_control.hpp"

#include <cstdint>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <systemd/sd-bus.h>

#include "base/limits.hpp"
#include "systemd/bus.hpp"

namespace penumbra::systemd {

namespace {

constexpr const char* kUnit = "org.freedesktop.systemd1.Unit";

/// Appends to a message; the first failure is kept and the rest left out.
class Filler {
 public:
    explicit Filler(const BusMessage& message) : message_(message.get()) {}

    template <class... Values>
    Filler& add(const char* types, Values... values) {
        if (code_ >= 0) code_ = sd_bus_message_append(message_, types, values...);
        return *this;
    }
    Filler& open(char type, const char* contents) {
        if (code_ >= 0) code_ = sd_bus_message_open_container(message_, type, contents);
        return *this;
    }
    Filler& close() {
        if (code_ >= 0) code_ = sd_bus_message_close_container(message_);
        return *this;
    }
    [[nodiscard]] Result<void> done() const {
        if (code_ < 0) return fail_errno(-code_, "filling a message to systemd");
        return {};
    }

 private:
    sd_bus_message* message_;
    int code_ = 0;
};

std::uint64_t count(std::chrono::microseconds duration) {
    return static_cast<std::uint64_t>(duration.count());
}

Result<std::string> path_in(const BusMessage& reply) {
    const char* path = nullptr;
    const int code = sd_bus_message_read(reply.get(), "o", &path);
    if (code < 0) return fail_errno(-code, "reading systemd's answer");
    return std::string(path);
}

/// Sends a call that makes a job and waits for that job's end.
Result<void> run_job(Bus& bus, const BusMessage& call, std::string_view unit) {
    std::map<std::string, std::string, std::less<>> ended;
    TRY(bus.watch_jobs([&ended](const char* path, const char* result) { ended.insert_or_assign(path, result); }));
    const std::string job = TRY(path_in(TRY(bus.send(call))));
    TRY(bus.wait([&] { return ended.contains(job); }, limits::kUnitJobTimeout));
    const std::string& result = ended.at(job);
    if (result == "done" || result == "skipped") return {};
    return fail(ErrorCode::kInternal, fmt::format("the job ended with '{}'; journalctl -u {} says why", result, unit));
}

Result<void> run_unit_job(const std::string& address, const char* method, std::string_view unit) {
    Bus bus = TRY(Bus::connect(address));
    const BusMessage call = TRY(bus.manager_call(method));
    TRY(Filler(call).add("ss", std::string(unit).c_str(), "replace").done());
    return run_job(bus, call, unit);
}

/// The properties of the timer unit: volatile, gone once it has elapsed.
void add_timer(Filler& filler, const TransientTimer& timer) {
    filler.open('a', "(sv)")
        .add("(sv)", "Description", "s", timer.description.c_str())
        .add("(sv)", "TimersMonotonic", "a(st)", 1, "OnActiveSec", count(timer.after))
        .add("(sv)", "AccuracyUSec", "t", count(timer.accuracy))
        .add("(sv)", "RemainAfterElapse", "b", 0)
        .add("(sv)", "CollectMode", "s", "inactive-or-failed")
        .close();
}

/// Of the service it starts: tried again without end, and not the first to go when memory is short.
void add_service(Filler& filler, const TransientTimer& timer, const std::string& name) {
    filler.open('a', "(sa(sv))").open('r', "sa(sv)").add("s", name.c_str()).open('a', "(sv)");
    filler.add("(sv)", "Description", "s", timer.description.c_str())
        .add("(sv)", "Type", "s", "oneshot")
        .add("(sv)", "Restart", "s", "on-failure")
        .add("(sv)", "RestartUSec", "t", count(timer.retry_interval))
        .add("(sv)", "StartLimitIntervalUSec", "t", std::uint64_t{0})
        .add("(sv)", "TimeoutStartUSec", "t", count(timer.run_max))
        .add("(sv)", "OOMScoreAdjust", "i", -900)
        .add("(sv)", "CollectMode", "s", "inactive-or-failed");
    filler.open('r', "sv").add("s", "ExecStart").open('v', "a(sasb)").open('a', "(sasb)").open('r', "sasb");
    filler.add("s", timer.command.front().c_str()).open('a', "s");
    for (const std::string& argument : timer.command)
        filler.add("s", argument.c_str());
    filler.close().add("b", 0).close().close().close().close();
    filler.close().close().close();
}

UnitState state_of(std::string_view word) {
    if (word == "active" || word == "reloading") return UnitState::kActive;
    if (word == "activating") return UnitState::kStarting;
    if (word == "deactivating") return UnitState::kStopping;
    return word == "failed" ? UnitState::kFailed : UnitState::kInactive;
}

}  // namespace

Result<void> BusUnitControl::start(std::string_view unit) {
    Result<void> done = run_unit_job(address_, "StartUnit", unit);
    if (!done.has_value()) return fail_in(fmt::format("starting {}", unit), done.error());
    return {};
}

Result<void> BusUnitControl::stop(std::string_view unit) {
    Result<void> done = run_unit_job(address_, "StopUnit", unit);
    if (done.has_value() || done.error().code == ErrorCode::kNotFound) return {};
    return fail_in(fmt::format("stopping {}", unit), done.error());
}

Result<UnitState> BusUnitControl::state(std::string_view unit) {
    Bus bus = TRY(Bus::connect(address_));
    const BusMessage call = TRY(bus.manager_call("GetUnit"));
    TRY(Filler(call).add("s", std::string(unit).c_str()).done());
    Result<BusMessage> reply = bus.send(call);
    if (!reply.has_value() && reply.error().code == ErrorCode::kNotFound) return UnitState::kInactive;
    if (!reply.has_value()) return fail_in(fmt::format("looking at {}", unit), reply.error());
    return state_of(TRY(bus.text_property(TRY(path_in(*reply)), kUnit, "ActiveState")));
}

Result<void> BusUnitControl::start_timer(const TransientTimer& timer) {
    if (timer.command.empty()) return fail(ErrorCode::kInvalidArgument, "a timer needs a command to run");
    Bus bus = TRY(Bus::connect(address_));
    const BusMessage call = TRY(bus.manager_call("StartTransientUnit"));
    const std::string unit = timer.name + ".timer";
    Filler filler(call);
    filler.add("ss", unit.c_str(), "fail");
    add_timer(filler, timer);
    add_service(filler, timer, timer.name + ".service");
    TRY(filler.done());
    Result<void> done = run_job(bus, call, unit);
    if (!done.has_value()) return fail_in(fmt::format("starting {}", unit), done.error());
    return {};
}

Result<void> BusUnitControl::stop_timer(std::string_view name) {
    return stop(fmt::format("{}.timer", name));
}

}  // namespace penumbra::systemd
