#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "packet/bytes.hpp"
#include "proto/model/kpi.hpp"

namespace penumbra::replay {

/// From capture and sandbox to the agent: length (u32) and a window's fields, big-endian. The vantage is not in it: the
/// agent knows whose socket it reads, and a sandbox cannot speak for another.
[[nodiscard]] packet::Buffer encode(const model::KpiWindow& window);

/// Takes the agent's side of the stream apart. Hostile bytes: holds at most kKpiReportBytesMax; a window that is longer
/// or contradicts its own length is kInvalidArgument and the stream is of no further use. Pure.
class ReportDecoder {
 public:
    void feed(packet::ByteView bytes);
    [[nodiscard]] Result<std::optional<model::KpiWindow>> next();

 private:
    packet::Buffer pending_;
    std::size_t read_ = 0;
};

/// What the agent says back, nine bytes each: kind (u8), value (u64).
struct Acknowledge {
    std::uint64_t sequence = 0;  ///< everything up to it is kept by the agent
    friend bool operator==(const Acknowledge&, const Acknowledge&) = default;
};
struct SetRate {
    double rate = 1;  ///< capture: the share; sandbox: the multiple. In millionths on the wire
    friend bool operator==(const SetRate&, const SetRate&) = default;
};
using AgentWord = std::variant<Acknowledge, SetRate>;
inline constexpr std::size_t kAgentWordBytes = 9;
[[nodiscard]] packet::Buffer encode(const AgentWord& word);
/// `bytes` are kAgentWordBytes.
[[nodiscard]] Result<AgentWord> read_agent_word(packet::ByteView bytes);

}  // namespace penumbra::replay
