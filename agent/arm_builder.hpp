#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/store/shadow_book.hpp"
#include "agent/watch_flow.hpp"
#include "base/disk_room.hpp"
#include "base/result.hpp"
#include "hypervisor/ports.hpp"
#include "hypervisor/shadow_domain.hpp"
#include "netisolate/ports.hpp"

namespace penumbra::agent {

/// How production's configuration becomes an arm's: hypervisor::boot_files_in() and shadow_domain(). Pure.
struct Drafting {
    std::function<Result<hypervisor::BootFiles>(std::string_view production_xml)> boot_files;
    std::function<Result<hypervisor::ShadowDomain>(std::string_view production_xml,
                                                   const hypervisor::ShadowPlace& place)>
        domain;
};

/// What an arm keeps in files: its disks' overlays by target name, and copies of what it boots from.
struct ArmFiles {
    std::map<std::string, std::filesystem::path> disks;
    hypervisor::BootFiles copies;
};

/// Port: the files arms run on, over a generation that never changes. Blocks; thread-bound.
class ArmStorage {
 public:
    ArmStorage() = default;
    ArmStorage(const ArmStorage&) = delete;
    ArmStorage& operator=(const ArmStorage&) = delete;
    ArmStorage(ArmStorage&&) = delete;
    ArmStorage& operator=(ArmStorage&&) = delete;
    virtual ~ArmStorage() = default;

    /// Number of the newest committed generation; kNotFound when there is none.
    [[nodiscard]] virtual Result<std::uint64_t> newest(const VmId& vm) = 0;
    /// Fresh overlays over the generation and copies of `boot`, for the arm that `owner` names. After an error none of
    /// them is left.
    [[nodiscard]] virtual Result<ArmFiles> make(const VmId& vm, std::uint64_t generation, const std::string& owner,
                                                const hypervisor::BootFiles& boot) = 0;
    /// Those that are not there are a success.
    [[nodiscard]] virtual Result<void> remove(const std::string& owner) = 0;
    /// Everybody who has some.
    [[nodiscard]] virtual Result<std::vector<std::string>> owners() = 0;
    /// Of the file system they are on.
    [[nodiscard]] virtual Result<DiskRoom> room() = 0;
    /// What the owner's take of it, and give back when they are removed; 0 when there are none.
    [[nodiscard]] virtual Result<Bytes> taken(const std::string& owner) = 0;
};

/// Makes one arm and takes it away. Thread-bound; blocks.
class ArmBuilder {
 public:
    struct Parts {  ///< borrowed, all outlive the builder
        hypervisor::ShadowDomains& domains;
        netisolate::SwitchControl& control;
        netisolate::LinkControl& links;
        ArmStorage& storage;
        Guards& guards;
    };
    explicit ArmBuilder(Parts parts) : parts_(parts) {}

    /// Sandbox, guard, domain: it boots when this returns. An error leaves what was made to remove().
    [[nodiscard]] Result<void> build(const ShadowRecord& record, const ArmId& arm, const std::string& xml);
    /// Everything of the arm, however much there is. Every part is tried; the first error comes back, others follow.
    [[nodiscard]] Result<void> remove(const ShadowRecord& record, const ArmId& arm);
    [[nodiscard]] Result<void> remove_all(const ShadowRecord& record);
    /// Domains with our mark, sandboxes and overlays that `known` does not account for: taken away.
    [[nodiscard]] Result<void> remove_strays(const std::vector<ShadowRecord>& known);

 private:
    Parts parts_;
};

}  // namespace penumbra::agent
