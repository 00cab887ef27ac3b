#include "agent/group_capture.hpp"

#include <fmt/format.h>

#include "agent/also.hpp"
#include "agent/unit_words.hpp"
#include "base/durable_file.hpp"
#include "base/limits/flows.hpp"
#include "netisolate/mirror_plan.hpp"

namespace penumbra::agent {

std::string capture_unit(const GroupId& group) {
    return fmt::format("penumbra-capture@{}.service", group.text());
}

std::filesystem::path capture_folder(const std::filesystem::path& run_folder, const GroupId& group) {
    return run_folder / "capture" / group.text();
}

const model::NicFacts& mirrored_card(const model::VmFacts& vm) {
    return vm.nics.front();
}

std::optional<std::string> about_other_cards(const model::VmFacts& vm) {
    std::vector<std::string> others;
    for (const model::NicFacts& card : vm.nics)
        if (&card != &mirrored_card(vm)) others.push_back(card.mac);
    if (others.empty()) return std::nullopt;
    return fmt::format("only the traffic of card {} is measured and replayed; what comes in by {} is not",
                       mirrored_card(vm).mac, fmt::join(others, ", "));
}

bool GroupCapture::mirrors(const model::NicFacts& card) const {
    return mirror_.has_value() && mirror_->stands && mirror_->cut_off.empty() &&
           mirror_->card.network == card.network && mirror_->card.target == card.target;
}

Result<void> GroupCapture::place_mirror(const model::VmFacts& vm) {
    const model::NicFacts& card = mirrored_card(vm);
    const netisolate::MirrorSpec spec{
        // A name of its own every time: the journal knows what became of the former ones.
        .owner = fmt::format("mirror:{}:{}", group_.text(), parts_.clock.wall().time_since_epoch().count()),
        .bridge = card.network,
        .mirrored = {card.target}};
    const netisolate::MirrorPlan plan = TRY(netisolate::plan_mirror(spec));
    const model::EffectSpec hold{.id = TRY(EffectId::parse(spec.owner)),
                                 .target = {.vm = vm.vm},
                                 .lease = limits::kMirrorLease,
                                 .action = model::MirrorHold{.bridge = card.network, .mirrored_port = card.target}};
    mirror_ = Mirror{.hold = hold.id,
                     .card = card,
                     .interface = plan.capture,
                     .space = parts_.space_folder / plan.space,
                     .prolong_at = parts_.clock.now() + limits::kMirrorLease / 3};
    TRY(parts_.holds.place(hold));
    mirror_->stands = true;
    return parts_.guards.guard(spec);
}

Result<void> GroupCapture::lift_mirror(const std::string& why) {
    if (!mirror_.has_value()) return {};
    mirror_->stands = false;  // after an error it is not known whether it does
    TRY(parts_.guards.release(mirror_->hold.text()));
    TRY(parts_.holds.lift(mirror_->hold, why));
    mirror_.reset();
    return {};
}

Result<void> GroupCapture::keep_mirror() {
    if (!mirror_.has_value()) return {};
    if (!mirror_->cut_off.empty())
        return fail(ErrorCode::kUnavailable, fmt::format("the mirror was cut off: {}", mirror_->cut_off));
    if (parts_.clock.now() < mirror_->prolong_at) return {};
    TRY(parts_.holds.prolong(mirror_->hold, limits::kMirrorLease));
    mirror_->prolong_at = parts_.clock.now() + limits::kMirrorLease / 3;
    return {};
}

void GroupCapture::cut_off(const std::string& hold, const std::string& reason) {
    if (mirror_.has_value() && mirror_->hold.text() == hold) mirror_->cut_off = reason;
}

Result<void> GroupCapture::start(const Order& order) {
    TRY(stop_process());
    if (!mirrors(mirrored_card(order.vm))) {
        TRY(lift_mirror("it is no mirror of the VM's network card"));
        TRY(place_mirror(order.vm));
    }
    std::vector<std::string> words = with_servers(
        {"--group", group_.text(), "--interface", mirror_->interface, "--netns", mirror_->space.native(), "--key",
         order.key, "--share", fmt::to_string(order.share), "--report", (folder() / "report").native()},
        order.servers);
    for (const ArmId& arm : order.arms)
        words.insert(words.end(), {"--arm", fmt::format("{}={}", arm.text(), (folder() / arm.text()).native())});
    TRY(tell_unit(folder().native() + ".env", words));
    TRY(parts_.units.start(capture_unit(group_)));
    return parts_.readers.attach(
        {.vantage = {.group = group_}, .domain = order.vm.name, .socket = folder() / "report"});
}

Result<void> GroupCapture::stop_process() {
    Result<void> all;
    // The reader stays until the process has ended: its last windows are waited for.
    also(all, parts_.units.stop(capture_unit(group_)));
    also(all, parts_.readers.detach({.group = group_}));
    also(all, remove_file_durably(folder().native() + ".env"));
    return all;
}

Result<void> GroupCapture::stop(const std::string& why) {
    Result<void> all = stop_process();
    also(all, lift_mirror(why));
    return all;
}

Result<void> GroupCapture::hear_out() {
    return parts_.readers.attach(
        {.vantage = {.group = group_}, .domain = group_.text(), .socket = folder() / "report"});
}

Result<void> GroupCapture::check_runs() {
    const systemd::UnitState state = TRY(parts_.units.state(capture_unit(group_)));
    if (state != systemd::UnitState::kFailed && state != systemd::UnitState::kInactive) return {};
    return fail(ErrorCode::kUnavailable, fmt::format("{0} has ended: see `journalctl -u {0}`", capture_unit(group_)));
}

}  // namespace penumbra::agent
