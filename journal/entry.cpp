// A text format, because the person who needs it most is an operator with `cat` at three in the morning. decode() is
// strict by construction: whatever it reads has to encode to the very bytes it came from.
#include "journal/entry.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/limits/effects.hpp"
#include "journal/line_record.hpp"

namespace penumbra::journal {

namespace {

using model::EffectState;

constexpr std::string_view kTitle = "penumbra-effect";
constexpr std::string_view kFormat = "1";
constexpr std::array kStates{EffectState::kIntended, EffectState::kArmed,     EffectState::kApplied,
                             EffectState::kVerified, EffectState::kConfirmed, EffectState::kReverting,
                             EffectState::kReverted, EffectState::kConflict,  EffectState::kFailed};

// ---- actions
struct WriteAction {
    LineRecord& record;
    void operator()(const model::IoTune& action) const {
        record.add("arg.disk", action.disk);
        for (const auto& [name, limit] : action.limits)
            record.add("arg.limit." + name, fmt::to_string(limit));
    }
    void operator()(const model::CpuTune& action) const {
        for (const auto& [name, value] : action.parameters)
            record.add("arg.parameter." + name, fmt::to_string(value));
    }
    void operator()(const model::Partition& action) const {
        for (const std::string& name : action.interfaces)
            record.add("arg.interface", name);
    }
    void operator()(const model::BackupHold& action) const { record.add("arg.checkpoint", action.checkpoint); }
    void operator()(const model::MirrorHold& action) const {
        record.add("arg.bridge", action.bridge);
        record.add("arg.mirrored_port", action.mirrored_port);
    }
};

template <class Number>
Result<std::map<std::string, Number>> take_numbers(LineRecord& record, std::string_view prefix) {
    std::map<std::string, Number> numbers;
    for (auto& [name, text] : record.take_all(prefix))
        numbers.emplace(name, TRY(parse_number<Number>(text)));
    return numbers;
}

Result<decltype(model::EffectSpec::action)> take_action(LineRecord& record, std::string_view kind) {
    if (kind == "domain.iotune") {
        model::IoTune action{.disk = TRY(record.take("arg.disk"))};
        action.limits = TRY(take_numbers<std::uint64_t>(record, "arg.limit."));
        return action;
    }
    if (kind == "domain.cputune") {
        return model::CpuTune{.parameters = TRY(take_numbers<std::int64_t>(record, "arg.parameter."))};
    }
    if (kind == "ovs.partition") return model::Partition{.interfaces = record.take_repeated("arg.interface")};
    if (kind == "backup.job") return model::BackupHold{.checkpoint = TRY(record.take("arg.checkpoint"))};
    if (kind == "mirror.port") {
        std::string bridge = TRY(record.take("arg.bridge"));
        return model::MirrorHold{.bridge = std::move(bridge), .mirrored_port = TRY(record.take("arg.mirrored_port"))};
    }
    return fail(ErrorCode::kUnsupported, fmt::format("its kind '{}' is not one this version knows", kind));
}

// ---- images
void add_image(LineRecord& record, const std::string& when, const Image& image) {
    record.add(when, image.live.has_value() ? "running" : "stopped");
    if (image.live.has_value()) {
        for (const auto& [name, value] : *image.live)
            record.add(fmt::format("{}.live.{}", when, name), value);
    }
    for (const auto& [name, value] : image.persistent)
        record.add(fmt::format("{}.persistent.{}", when, name), value);
}

Result<Image> take_image(LineRecord& record, const std::string& when) {
    Image image;
    if (TRY(record.take(when)) == "running") {
        image.live.emplace();
        for (auto& [name, value] : record.take_all(when + ".live."))
            image.live->emplace(name, value);
    }
    for (auto& [name, value] : record.take_all(when + ".persistent."))
        image.persistent.emplace(name, value);
    return image;
}

Result<EffectState> parse_state(std::string_view word) {
    for (const EffectState state : kStates)
        if (model::to_string(state) == word) return state;
    return fail(ErrorCode::kDataLoss, fmt::format("'{}' is not a state", word));
}

Result<Entry> take_entry(LineRecord& record) {
    Entry entry;
    entry.spec.id = TRY(EffectId::parse(TRY(record.take("id"))));
    const std::string kind = TRY(record.take("kind"));
    entry.spec.target.vm = VmId(TRY(record.take("vm")));
    entry.spec.target.shadow = ShadowId(TRY(record.take("shadow")));
    entry.spec.target.arm = ArmId(TRY(record.take("arm")));
    entry.spec.lease = std::chrono::seconds(TRY(parse_number<std::int64_t>(TRY(record.take("lease_s")))));
    entry.spec.action = TRY(take_action(record, kind));
    entry.site.domain = TRY(record.take("site.domain"));
    entry.site.bridge = TRY(record.take("site.bridge"));
    entry.site.taps = record.take_repeated("site.tap");
    entry.state = TRY(parse_state(TRY(record.take("state"))));
    entry.boot_id = TRY(record.take("boot"));
    entry.deadline =
        Instant(std::chrono::nanoseconds(TRY(parse_number<std::int64_t>(TRY(record.take("deadline_ns"))))));
    entry.arming = TRY(parse_number<std::uint32_t>(TRY(record.take("arming"))));
    entry.epoch = Epoch(TRY(parse_number<std::uint64_t>(TRY(record.take("epoch")))));
    entry.command = CommandId(TRY(record.take("command")));
    entry.changed =
        WallTime(std::chrono::milliseconds(TRY(parse_number<std::int64_t>(TRY(record.take("changed_ms"))))));
    entry.reason = TRY(record.take("reason"));
    entry.before_hash = TRY(record.take("before_hash"));
    entry.after_hash = TRY(record.take("after_hash"));
    entry.before = TRY(take_image(record, "before"));
    entry.after = TRY(take_image(record, "after"));
    return entry;
}

}  // namespace

bool is_settled(EffectState state) noexcept {
    return state == EffectState::kConfirmed || state == EffectState::kReverted || state == EffectState::kConflict ||
           state == EffectState::kFailed;
}

Digest hash_of(const Image& image) {
    LineRecord record;
    add_image(record, "image", image);
    return sha256(record.text());
}

std::string encode(const Entry& entry) {
    LineRecord record;
    record.add(kTitle, kFormat);
    record.add("id", entry.spec.id.text());
    record.add("kind", model::kind_of(entry.spec));
    record.add("vm", entry.spec.target.vm.text());
    record.add("shadow", entry.spec.target.shadow.text());
    record.add("arm", entry.spec.target.arm.text());
    record.add("lease_s", fmt::to_string(entry.spec.lease.count()));
    std::visit(WriteAction{record}, entry.spec.action);
    record.add("site.domain", entry.site.domain);
    record.add("site.bridge", entry.site.bridge);
    for (const std::string& tap : entry.site.taps)
        record.add("site.tap", tap);
    record.add("state", model::to_string(entry.state));
    record.add("boot", entry.boot_id);
    record.add("deadline_ns", fmt::to_string(entry.deadline.time_since_epoch().count()));
    record.add("arming", fmt::to_string(entry.arming));
    record.add("epoch", fmt::to_string(number(entry.epoch)));
    record.add("command", entry.command.text());
    record.add("changed_ms", fmt::to_string(entry.changed.time_since_epoch().count()));
    record.add("reason", entry.reason);
    record.add("before_hash", entry.before_hash);
    record.add("after_hash", entry.after_hash);
    add_image(record, "before", entry.before);
    add_image(record, "after", entry.after);
    std::string text = record.text();
    text += fmt::format("sha256 {}\n", sha256(text).hex());
    return text;
}

Result<Entry> decode(std::string_view text) {
    if (text.size() > limits::kJournalEntryBytesMax) {
        return fail(ErrorCode::kDataLoss, fmt::format("it is longer than {} bytes", limits::kJournalEntryBytesMax));
    }
    LineRecord record = TRY(LineRecord::parse(text));
    const std::string format = TRY(record.take(kTitle));
    if (format != kFormat) {
        return fail(ErrorCode::kUnsupported,
                    fmt::format("it is of format {}; this version reads format {}", format, kFormat));
    }
    Entry entry = TRY(take_entry(record));
    if (encode(entry) != text) {
        return fail(ErrorCode::kDataLoss, "its checksum or its form does not fit its content");
    }
    return entry;
}

}  // namespace penumbra::journal
