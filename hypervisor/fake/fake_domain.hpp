#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hypervisor/extent_set.hpp"
#include "hypervisor/fake/fake_block_source.hpp"
#include "hypervisor/fake/fake_checkpoint.hpp"
#include "hypervisor/fake/fake_hypervisor.hpp"

/// What the fake's files share and nobody else sees.
namespace penumbra::hypervisor::fake {

struct FakeHypervisor::Job {
    std::filesystem::path socket;
    std::map<std::string, std::shared_ptr<Cut>> cuts;  // by export name
    std::map<std::string, ExtentSet> pushed_out;       // by disk: what the scratch holds
};

struct FakeHypervisor::Domain {
    FakeVm vm;
    std::vector<FakeCheckpoint> checkpoints;
    std::optional<Job> job;
};

}  // namespace penumbra::hypervisor::fake
