#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agent/arm_builder.hpp"

namespace penumbra::agent::fake {

/// Arms' files in memory. Thread-bound. For tests only.
class FakeArmStorage final : public ArmStorage {
 public:
    [[nodiscard]] Result<std::uint64_t> newest(const VmId& vm) override {
        TRY(admit());
        const auto found = generations_.find(vm);
        if (found != generations_.end()) return found->second;
        return fail(ErrorCode::kNotFound,
                    fmt::format("there is no generation of VM {}: replicate it first", vm.text()));
    }
    [[nodiscard]] Result<ArmFiles> make(const VmId& vm, std::uint64_t generation, const std::string& owner,
                                        const hypervisor::BootFiles& boot) override {
        TRY(admit());
        owners_.emplace(owner, Files{.vm = vm, .generation = generation, .taken = {}});
        return ArmFiles{.disks = {{"vda", "/arms/" + owner + "/vda"}}, .copies = boot};
    }
    [[nodiscard]] Result<void> remove(const std::string& owner) override {
        TRY(admit());
        const auto found = owners_.find(owner);
        if (found == owners_.end()) return {};
        room_.available += found->second.taken;
        owners_.erase(found);
        return {};
    }
    [[nodiscard]] Result<std::vector<std::string>> owners() override {
        TRY(admit());
        std::vector<std::string> names;
        for (const auto& [owner, of] : owners_)
            names.push_back(owner);
        return names;
    }

    [[nodiscard]] Result<DiskRoom> room() override {
        TRY(admit());
        return room_;
    }
    [[nodiscard]] Result<Bytes> taken(const std::string& owner) override {
        TRY(admit());
        const auto found = owners_.find(owner);
        return found == owners_.end() ? Bytes() : found->second.taken;
    }

    void set_available(Bytes available) { room_.available = available; }
    /// The owner's guest writes so much; what is available shrinks by it.
    void grow(const std::string& owner, Bytes written) {
        owners_.at(owner).taken += written;
        room_.available = room_.available - std::min(room_.available, written);
    }
    void commit(const VmId& vm, std::uint64_t generation) { generations_[vm] = generation; }
    /// The nth call from now (1: the next) fails, changing nothing.
    void fail_call(std::uint64_t nth, Error error) { failure_ = {calls_ + nth, std::move(error)}; }
    [[nodiscard]] std::uint64_t calls() const noexcept { return calls_; }

 private:
    struct Files {
        VmId vm;
        std::uint64_t generation = 0;
        Bytes taken;
    };
    [[nodiscard]] Result<void> admit() {
        if (++calls_ != failure_.first) return {};
        return tl::unexpected(failure_.second);
    }

    std::map<VmId, std::uint64_t> generations_;
    std::map<std::string, Files> owners_;
    DiskRoom room_{.folder = "/arms", .size = Bytes(1ULL << 40U), .available = Bytes(1ULL << 40U)};
    std::pair<std::uint64_t, Error> failure_;
    std::uint64_t calls_ = 0;
};

}  // namespace penumbra::agent::fake
