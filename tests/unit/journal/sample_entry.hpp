#pragma once

#include <chrono>

#include "journal/entry.hpp"

namespace penumbra::journal {

/// One entry with every field set, as the golden file holds it.
inline Entry sample_entry(const char* id = "r7-shop") {
    using namespace std::chrono_literals;
    Entry entry;
    entry.spec.id = EffectId(id);
    entry.spec.target = {
        .vm = VmId("5f3c6c1e-0b3a-4f6e-9d3c-1f8a0c2b7d11"), .shadow = ShadowId("s1"), .arm = ArmId("treated")};
    entry.spec.lease = 60s;
    entry.spec.action = model::IoTune{.disk = "vda", .limits = {{"total_iops_sec", 200}, {"total_bytes_sec", 0}}};
    entry.site = {.domain = "5f3c6c1e-0b3a-4f6e-9d3c-1f8a0c2b7d11", .bridge = "pnb-s1-t", .taps = {"vnet3", "vnet4"}};
    entry.state = model::EffectState::kReverted;
    entry.boot_id = "0d2b1d6c-7f9c-4f0e-8a34-53f7f2f4b0aa";
    entry.deadline = Instant(3723s + 5ns);
    entry.arming = 2;
    entry.epoch = Epoch(7);
    entry.command = CommandId("c-42");
    entry.changed = WallTime(1'764'000'000'123ms);
    entry.reason = "the lease of effect r7-shop ran out: 100 % of it, \"agent\" stopped\nsecond line \xc3\xa9";
    entry.before_hash = "aa";
    entry.after_hash = "bb";
    entry.before = {.live = Values{{"total_iops_sec", "0"}}, .persistent = {{"total_iops_sec", "0"}}};
    entry.after = {.live = Values{{"total_iops_sec", "200"}, {"odd name", ""}}, .persistent = {}};
    return entry;
}

}  // namespace penumbra::journal
