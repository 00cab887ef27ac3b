#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "packet/bytes.hpp"

namespace penumbra::replay {

/// Every frame of one interface of this network namespace, through a TPACKET_V3 ring (packet(7)): received only, whole
/// (offloaded super-frames included), never blocking who sends them. What the ring had no room for is counted by the
/// kernel. Needs CAP_NET_RAW to open, nothing after. Thread-bound.
class FrameRing {
 public:
    [[nodiscard]] static Result<FrameRing> open(const std::string& interface);

    /// Readable when a block is full or 10 ms old.
    [[nodiscard]] int fd() const noexcept { return socket_.get(); }
    /// Hands out at most kRingBlocksPerTurn blocks of frames, each valid during its call, with the time it crossed the
    /// wire. `wall_ahead` is wall time minus boot time, now.
    void read(std::chrono::nanoseconds wall_ahead, const std::function<void(packet::ByteView, Instant)>& frame);
    /// Frames the kernel dropped since the last call.
    [[nodiscard]] std::uint64_t take_drops();

 private:
    struct Unmap {
        void operator()(std::byte* blocks) const noexcept;
    };
    using Blocks = std::unique_ptr<std::byte, Unmap>;  // kRingBlocks of kRingBlockBytes
    FrameRing(UniqueFd socket, Blocks blocks) : socket_(std::move(socket)), blocks_(std::move(blocks)) {}

    UniqueFd socket_;
    Blocks blocks_;
    std::size_t next_block_ = 0;
};

}  // namespace penumbra::replay
