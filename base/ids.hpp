#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace penumbra {

namespace detail {
/// What Id::parse admits; in a file of its own, so that a changed limit does not compile the world again.
[[nodiscard]] Result<void> check_id(std::string_view noun, std::string_view text);
}  // namespace detail

/// A name that cannot be mistaken for another kind of name. Value type; ordered and hashable; may be empty ("none").
/// parse() admits 1..kIdBytesMax of [A-Za-z0-9._:-], first one alphanumeric: safe in paths, unit names and logs.
template <class Tag>
class Id {
 public:
    Id() = default;
    explicit Id(std::string text) : text_(std::move(text)) {}

    [[nodiscard]] static Result<Id> parse(std::string_view text) {
        TRY(detail::check_id(Tag::kNoun, text));
        return Id(std::string(text));
    }

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
    friend auto operator<=>(const Id&, const Id&) = default;
    friend bool operator==(const Id&, const Id&) = default;

 private:
    std::string text_;
};

namespace id_tags {
struct Host {
    static constexpr std::string_view kNoun = "host";
};
struct Vm {
    static constexpr std::string_view kNoun = "vm";
};
struct Group {
    static constexpr std::string_view kNoun = "group";
};
struct Shadow {
    static constexpr std::string_view kNoun = "shadow";
};
struct Arm {
    static constexpr std::string_view kNoun = "arm";
};
struct Checkpoint {
    static constexpr std::string_view kNoun = "checkpoint";
};
struct Effect {
    static constexpr std::string_view kNoun = "effect";
};
struct Trial {
    static constexpr std::string_view kNoun = "trial";
};
struct Rollout {
    static constexpr std::string_view kNoun = "rollout";
};
struct Command {
    static constexpr std::string_view kNoun = "command";
};
struct Resource {
    static constexpr std::string_view kNoun = "resource";
};
}  // namespace id_tags

using HostId = Id<id_tags::Host>;
using VmId = Id<id_tags::Vm>;  ///< libvirt's domain UUID where a VM must be told apart, its name where a person reads
using GroupId = Id<id_tags::Group>;
using ShadowId = Id<id_tags::Shadow>;
using ArmId = Id<id_tags::Arm>;
using CheckpointId = Id<id_tags::Checkpoint>;
using EffectId = Id<id_tags::Effect>;
using TrialId = Id<id_tags::Trial>;
using RolloutId = Id<id_tags::Rollout>;
using CommandId = Id<id_tags::Command>;
using ResourceId = Id<id_tags::Resource>;  ///< what a fence counts for: "vm:UUID", "shadow:NAME", "rollout:NAME"

/// Which coordinator life speaks: raised and committed before a coordinator binds its socket. 0: none yet.
enum class Epoch : std::uint64_t {};
/// Per resource, only grows: a command with a lower one than the agent has seen is refused.
enum class Fence : std::uint64_t {};

[[nodiscard]] constexpr std::uint64_t number(Epoch epoch) noexcept {
    return static_cast<std::uint64_t>(epoch);
}
[[nodiscard]] constexpr std::uint64_t number(Fence fence) noexcept {
    return static_cast<std::uint64_t>(fence);
}

}  // namespace penumbra

template <class Tag>
struct std::hash<penumbra::Id<Tag>> {
    std::size_t operator()(const penumbra::Id<Tag>& id) const noexcept { return std::hash<std::string>{}(id.text()); }
};
