#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/event_loop.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "packet/bytes.hpp"
#include "replay/exchange_stream.hpp"
#include "replay/spool.hpp"

namespace penumbra::capture {

/// One arm's exchanges on their one way into its sandbox. Waits in the spool until the sandbox connects and whenever it
/// is slow; never waits for it. The socket's receiving side is shut before the first byte, so nothing can come back.
/// What the spool had no room for is tallied to the arm as soon as there is room again. Thread-bound.
class ArmFeed {
 public:
    [[nodiscard]] static Result<std::unique_ptr<ArmFeed>> listen(EventLoop& loop, std::string arm,
                                                                 const std::filesystem::path& socket,
                                                                 replay::Spool spool);
    /// An encoded exchange: taken, or counted as lost.
    void exchange(packet::ByteView record);
    /// An encoded end of a connection: taken, or left out (the arm's connection then closes with the replay).
    void connection_end(packet::ByteView record);
    void lost() { ++tally_.capture_drop; }
    /// Sends the tally on when there is one: called now and then.
    void flush();

    [[nodiscard]] const std::string& arm() const noexcept { return arm_; }

 private:
    ArmFeed(EventLoop& loop, std::string arm, UniqueFd listener, replay::Spool spool);
    void accept();
    void pump();
    [[nodiscard]] bool fill();
    [[nodiscard]] bool append(packet::ByteView record);
    void hang_up();

    EventLoop& loop_;
    std::string arm_;
    UniqueFd listener_;
    replay::Spool spool_;
    replay::Tally tally_;
    EventLoop::Source listening_;
    UniqueFd sandbox_;
    EventLoop::Source writing_;
    packet::Buffer chunk_;  // whole records from the spool's front, on their way
    std::size_t sent_ = 0;  // of chunk_
};

}  // namespace penumbra::capture
