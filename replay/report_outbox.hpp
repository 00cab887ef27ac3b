#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>

#include "base/event_loop.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "packet/bytes.hpp"
#include "proto/model/kpi.hpp"
#include "replay/report_stream.hpp"

namespace penumbra::replay {

/// KPI windows on their way to the agent, over a socket that the agent connects to when it is there. A window is kept
/// until the agent has acknowledged it and sent again on every new connection: at least once, in order. With more than
/// kKpiWindowsUnacknowledgedMax the oldest is dropped and counted. The newest connection wins. Thread-bound.
class ReportOutbox {
 public:
    [[nodiscard]] static Result<std::unique_ptr<ReportOutbox>> listen(EventLoop& loop,
                                                                      const std::filesystem::path& path,
                                                                      std::function<void(double)> set_rate);
    void push(const model::KpiWindow& window);
    [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

 private:
    struct Waiting {
        std::uint64_t sequence = 0;
        packet::Buffer bytes;
    };
    ReportOutbox(EventLoop& loop, UniqueFd listener, std::function<void(double)> set_rate);
    void accept();
    void ready(std::uint32_t events);
    void hear();
    void send_on();
    void hang_up();

    EventLoop& loop_;
    UniqueFd listener_;
    std::function<void(double)> set_rate_;
    EventLoop::Source listening_;
    UniqueFd agent_;
    EventLoop::Source talking_;
    packet::Buffer heard_;
    std::deque<Waiting> waiting_;
    std::size_t sent_windows_ = 0;  // of waiting_, on this connection
    std::size_t sent_bytes_ = 0;    // of the next one
    std::uint64_t dropped_ = 0;
};

/// A listening socket at `path`, replacing what a former life left there.
[[nodiscard]] Result<UniqueFd> listen_at(const std::filesystem::path& path);

}  // namespace penumbra::replay
