#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/limits/api.hpp"
#include "base/log.hpp"
#include "base/time_zone.hpp"
#include "coordinator/coordinator.hpp"
#include "proto/spec/settings_file.hpp"
#include "systemd/notify.hpp"

namespace penumbra::coordinator {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongUse = 2;
constexpr int kSteppedDown = 3;  // RestartPreventExitStatus= of the unit

constexpr std::string_view kUsage =
    "usage: penumbra-coordinator [--settings FILE] [--epoch-above NUMBER]\n"
    "  --settings FILE       default /etc/penumbra/coordinator.toml; one that is not there is all defaults\n"
    "  --epoch-above NUMBER  begin above an epoch that agents have seen, after an old copy of the store was restored\n";

struct CommandLine {
    std::filesystem::path settings{"/etc/penumbra/coordinator.toml"};
    Epoch above{};
};

std::optional<Epoch> epoch_in(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return Epoch(number);
}

std::optional<CommandLine> command_line(std::span<char*> arguments) {
    CommandLine line;
    if (arguments.size() % 2 != 0) return std::nullopt;
    for (std::size_t index = 0; index < arguments.size(); index += 2) {
        const std::string_view name = arguments[index];
        const std::string_view value = arguments[index + 1];
        if (name == "--settings") {
            line.settings = value;
        } else if (const auto above = epoch_in(value); name == "--epoch-above" && above.has_value()) {
            line.above = *above;
        } else {
            return std::nullopt;
        }
    }
    return line;
}

Result<std::vector<OffsetChange>> service_clock_of(const spec::CoordinatorSettings& settings, WallTime now) {
    if (settings.time_zone.empty()) return std::vector<OffsetChange>{};
    return offset_changes_of(settings.time_zone, now - limits::kServiceClockPast, now + limits::kServiceClockFuture);
}

void tell_systemd(const Result<void>& told) {
    if (!told.has_value()) log::error("systemd.not_told", told.error());
}

Result<int> run(const CommandLine& line) {
    spec::CoordinatorSettings settings = TRY(spec::load_coordinator_settings(line.settings));
    const SystemClock clock;
    // Before any thread is made: it changes the process's zone while it reads.
    std::vector<OffsetChange> service_clock = TRY(service_clock_of(settings, clock.wall()));
    auto loop = TRY(EventLoop::create());
    int status = 0;
    const auto stop = [&] { loop->stop(); };
    // before any thread is made: it would take the signal
    const auto terminated = TRY(loop->on_signal(SIGTERM, stop));
    const auto interrupted = TRY(loop->on_signal(SIGINT, stop));
    const auto ended = [&](Coordinator::End end, const std::string& why) {
        log::event(log::Level::kError, "coordinator.ended", why);
        status = end == Coordinator::End::kSteppedDown ? kSteppedDown : kFailed;
        loop->stop();
    };
    auto coordinator = TRY(Coordinator::start(
        *loop, clock, {.settings = std::move(settings), .service_clock = std::move(service_clock), .above = line.above},
        ended));
    TRY(loop->feed_watchdog());
    log::event(log::Level::kNotice, "coordinator.started", coordinator->describe());
    tell_systemd(systemd::notify_ready(coordinator->describe()));
    TRY(loop->run());
    tell_systemd(systemd::notify_stopping("storing what waits"));
    coordinator.reset();
    return status;
}

}  // namespace
}  // namespace penumbra::coordinator

int main(int argc, char** argv) {
    const auto line = penumbra::coordinator::command_line({argv + 1, static_cast<std::size_t>(argc - 1)});
    if (!line.has_value()) {
        static_cast<void>(
            std::fwrite(penumbra::coordinator::kUsage.data(), 1, penumbra::coordinator::kUsage.size(), stderr));
        return penumbra::coordinator::kWrongUse;
    }
    const penumbra::Result<int> status = penumbra::coordinator::run(*line);
    if (status.has_value()) return *status;
    penumbra::log::error("coordinator.not_started", status.error());
    return penumbra::coordinator::kFailed;
}
