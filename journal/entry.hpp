#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "proto/model/effect.hpp"

namespace penumbra::journal {

/// What one layer of a resource holds, by name: libvirt's parameter names, or an effect's own.
using Values = std::map<std::string, std::string>;

/// A resource as it stands: what runs, and what its next start would use. No live layer: the object does not run.
struct Image {
    std::optional<Values> live;
    Values persistent;
    friend bool operator==(const Image&, const Image&) = default;
};

/// SHA-256 over an image, the same for the same values everywhere.
[[nodiscard]] Digest hash_of(const Image& image);

/// What the target was when the intent was written: whoever reverts looks nothing up.
struct Site {
    std::string domain;             ///< libvirt UUID
    std::string bridge;             ///< of an arm's sandbox, or the mirrored one
    std::vector<std::string> taps;  ///< of the VM, on that bridge
    friend bool operator==(const Site&, const Site&) = default;
};

/// One effect on this host: what was there before is on disk before anything is touched. Value type.
struct Entry {
    model::EffectSpec spec;
    Site site;
    model::EffectState state = model::EffectState::kIntended;
    std::string boot_id;       ///< of the boot whose clock `deadline` is on
    Instant deadline{};        ///< when the lease runs out
    std::uint32_t arming = 0;  ///< which of its dead-men is the valid one: grows with each extension
    Epoch epoch{};             ///< whose order it was
    CommandId command;
    WallTime changed{};       ///< when `state` was reached; for people
    std::string reason;       ///< of a final state: one sentence
    std::string before_hash;  ///< of the whole object (design D18), when the intent was written
    std::string after_hash;   ///< the same, once it was verified; again once it was confirmed
    Image before;
    Image after;
    friend bool operator==(const Entry&, const Entry&) = default;
};

/// Nothing of ours stands any more, or it was confirmed: nobody has to act on it.
[[nodiscard]] bool is_settled(model::EffectState state) noexcept;

/// Format 1: lines of `key value`, sorted within a group, ending in a line with the SHA-256 of all before it.
[[nodiscard]] std::string encode(const Entry& entry);
/// Accepts exactly what encode() writes; anything else is kDataLoss (kUnsupported for a later format).
[[nodiscard]] Result<Entry> decode(std::string_view text);

}  // namespace penumbra::journal
