#include "proto/codec/codec.hpp"

#include <algorithm>
#include <array>

#include "base/limits/link.hpp"
#include "base/limits/wire.hpp"
#include "proto/codec/schema_link.hpp"
//
#include "proto/codec/message.hpp"

namespace penumbra::codec {

namespace {
struct Kind {
    std::string_view name;
    std::size_t bytes_max;
};

// In the order of model::Body's alternatives.
constexpr std::array<Kind, std::variant_size_v<model::Body>> kKinds{{
    {"hello", limits::kEnvelopeBytesMax},
    {"heartbeat", 16 * 1024},
    {"facts_report", limits::kEnvelopeBytesMax},
    {"kpi_report", limits::kEnvelopeBytesMax},
    {"effect_report", limits::kEnvelopeBytesMax},
    {"goodbye", limits::kTextBytesMax + 16},
    {"command_report", limits::kEnvelopeBytesMax},
    {"welcome", 128},
    {"heartbeat_ack", 32},
    {"reset", limits::kTextBytesMax + 32},
    {"result_ack", 128},
    {"kpi_ack", limits::kEnvelopeBytesMax},
    {"command", limits::kEnvelopeBytesMax},
    {"shadow_report", limits::kEnvelopeBytesMax},
}};
constexpr std::uint32_t kFirstBody = 10;  // of the envelope's oneof

// An envelope holds nothing but what this version knows, and its body is within its kind's limit, before it is read.
Result<void> examine(std::string_view bytes) {
    if (bytes.size() > limits::kEnvelopeBytesMax) return {};  // refused with the rest
    for (const Field& field : TRY(split(bytes))) {
        if (field.number < kFirstBody) continue;
        if (field.number >= kFirstBody + kKinds.size()) {
            return fail(ErrorCode::kUnsupported,
                        fmt::format("a message of the fleet link is of kind {}, which this version does not know: "
                                    "upgrade this side",
                                    field.number));
        }
        const Kind& kind = kKinds[field.number - kFirstBody];
        if (field.bytes.size() > kind.bytes_max) {
            return fail(ErrorCode::kInvalidArgument, fmt::format("a {} of {} bytes: at most {} are allowed", kind.name,
                                                                 field.bytes.size(), kind.bytes_max));
        }
    }
    return {};
}

constexpr std::string_view kWhat = "a message of the fleet link";
}  // namespace

std::string_view kind_of(const model::Body& body) noexcept {
    return kKinds[body.index()].name;
}

Result<std::string> encode(const model::Envelope& envelope) {
    std::string bytes = TRY(write_message(kWhat, envelope, limits::kEnvelopeBytesMax));
    TRY(examine(bytes));
    return bytes;
}

Result<model::Envelope> decode(std::string_view bytes) {
    TRY(examine(bytes));
    return read_message<model::Envelope>(kWhat, bytes, limits::kEnvelopeBytesMax);
}

}  // namespace penumbra::codec
