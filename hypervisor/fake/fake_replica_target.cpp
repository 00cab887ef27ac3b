#include "hypervisor/fake/fake_replica_target.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/limits/replica.hpp"
#include "hypervisor/replica_folder.hpp"

namespace penumbra::hypervisor::fake {
namespace {

constexpr Bytes kSize{1ULL << 40U};  // of the file system

struct Layer {
    LayerSpec spec;
    std::map<std::uint64_t, std::vector<std::byte>> blocks;  // an empty one reads as zero
};

struct Generation {
    ReplicaManifest manifest;
    std::map<std::string, Layer> layers;
    std::map<std::string, BlockTable> tables;
};

}  // namespace

struct FakeReplicaTarget::Medium {
    std::map<VmId, std::map<std::uint64_t, Generation>> committed;
    std::map<VmId, std::uint64_t> highest;
    std::optional<std::uint64_t> steps_left;
    bool dead = false;
    Bytes left{UINT64_MAX};
    Bytes told = kSize;
    bool rot = false;

    [[nodiscard]] Result<void> alive() const {
        if (dead) return fail(ErrorCode::kUnavailable, "the process has died");
        return {};
    }
    [[nodiscard]] Result<void> step() {
        TRY(alive());
        dead = steps_left && --*steps_left == 0;
        return alive();
    }
};

namespace {

class FakeVolume final : public StagedVolume {
 public:
    FakeVolume(std::shared_ptr<FakeReplicaTarget::Medium> medium, Layer& layer)
        : medium_(std::move(medium)), layer_(layer) {}

    [[nodiscard]] Result<void> write(std::uint64_t offset, std::span<const std::byte> data) override {
        TRY(medium_->step());
        ASSERT(!sealed_ && offset % limits::kBlockBytes == 0);
        if (medium_->left < Bytes(data.size()))
            return fail(ErrorCode::kResourceExhausted, "writing a layer: No space left on device");
        medium_->left = medium_->left - Bytes(data.size());
        while (!data.empty()) {
            const auto block = data.first(std::min<std::size_t>(data.size(), limits::kBlockBytes));
            ASSERT(layer_.blocks.emplace(offset / limits::kBlockBytes, std::vector(block.begin(), block.end())).second);
            if (std::exchange(medium_->rot, false))
                layer_.blocks.at(offset / limits::kBlockBytes).front() ^= std::byte{4};
            data = data.subspan(block.size());
            offset += block.size();
        }
        return {};
    }
    void zero(Extent extent) override {
        ASSERT(!sealed_ && extent.begin % limits::kBlockBytes == 0);
        for (std::uint64_t at = extent.begin; at < extent.end; at += limits::kBlockBytes)
            ASSERT(layer_.blocks.emplace(at / limits::kBlockBytes, std::vector<std::byte>()).second);
    }
    [[nodiscard]] Result<void> seal() override {
        TRY(medium_->step());
        sealed_ = true;
        return {};
    }
    [[nodiscard]] Result<void> reread(const BlockSink& sink) override {
        TRY(medium_->alive());
        ASSERT(sealed_);
        for (const auto& [block, data] : layer_.blocks)
            TRY(sink(block, block_digest(data)));
        return {};
    }

 private:
    std::shared_ptr<FakeReplicaTarget::Medium> medium_;
    Layer& layer_;
    bool sealed_ = false;
};

class FakeGeneration final : public StagedGeneration {
 public:
    FakeGeneration(std::shared_ptr<FakeReplicaTarget::Medium> medium, VmId vm)
        : medium_(std::move(medium)), vm_(std::move(vm)) {}

    [[nodiscard]] Result<StagedVolume*> add_volume(const LayerSpec& spec) override {
        TRY(medium_->step());
        const auto [layer, added] = made_.layers.emplace(spec.disk, Layer{.spec = spec, .blocks = {}});
        ASSERT(added);
        volumes_.push_back(std::make_unique<FakeVolume>(medium_, layer->second));
        return volumes_.back().get();
    }
    [[nodiscard]] Result<ReplicaManifest> commit(ReplicaManifest manifest,
                                                 const std::map<std::string, BlockTable>& tables) override {
        for (VolumeManifest& volume : manifest.volumes) {
            TRY(medium_->step());
            volume.table = sha256(tables.at(volume.disk).encode());
        }
        TRY(medium_->step());
        made_.manifest = manifest;
        made_.tables = tables;
        std::uint64_t& highest = medium_->highest[vm_];
        highest = std::max(highest, manifest.generation);
        medium_->committed[vm_][manifest.generation] = std::move(made_);
        TRY(medium_->step());  // it stands, but the answer is lost
        return manifest;
    }

 private:
    std::shared_ptr<FakeReplicaTarget::Medium> medium_;
    VmId vm_;
    Generation made_;
    std::vector<std::unique_ptr<FakeVolume>> volumes_;
};

}  // namespace

FakeReplicaTarget::FakeReplicaTarget() : medium_(std::make_shared<Medium>()) {}
FakeReplicaTarget::~FakeReplicaTarget() = default;

Result<ReplicaState> FakeReplicaTarget::state(const VmId& vm) {
    TRY(medium_->alive());
    std::vector<ReplicaManifest> manifests;
    for (const auto& [number, generation] : medium_->committed[vm])
        manifests.push_back(generation.manifest);
    ReplicaState state = usable_generations(std::move(manifests));
    state.next_generation = medium_->highest[vm] + 1;
    return state;
}

Result<BlockTable> FakeReplicaTarget::table(const ReplicaManifest& manifest, const std::string& disk) {
    TRY(medium_->alive());
    const auto& tables = medium_->committed.at(manifest.vm).at(manifest.generation).tables;
    const auto table = tables.find(disk);
    if (table == tables.end()) return fail(ErrorCode::kDataLoss, fmt::format("the block table of {} is broken", disk));
    return table->second;
}

Result<std::unique_ptr<StagedGeneration>> FakeReplicaTarget::stage(const VmId& vm, std::uint64_t generation) {
    if (medium_->committed[vm].contains(generation))
        return fail(ErrorCode::kAlreadyExists, fmt::format("generation {} is there already", generation));
    TRY(medium_->step());
    return std::unique_ptr<StagedGeneration>(std::make_unique<FakeGeneration>(medium_, vm));
}

Result<void> FakeReplicaTarget::remove(const VmId& vm, std::uint64_t generation) {
    for (const auto& [number, each] : medium_->committed[vm])
        for (const auto& [disk, layer] : each.layers)
            if (layer.spec.base == generation)
                return fail(ErrorCode::kConflict, fmt::format("generation {} lies under {}", generation, number));
    TRY(medium_->step());
    medium_->committed[vm].erase(generation);
    return {};
}

Result<DiskRoom> FakeReplicaTarget::room() {
    TRY(medium_->alive());
    return DiskRoom{.folder = "/replicas", .size = kSize, .available = medium_->told};
}

std::vector<std::byte> FakeReplicaTarget::content(const VmId& vm, std::uint64_t generation, const std::string& disk) {
    const Layer& layer = medium_->committed.at(vm).at(generation).layers.at(disk);
    std::vector<std::byte> bytes;
    if (layer.spec.base != 0) bytes = content(vm, layer.spec.base, disk);
    bytes.resize(layer.spec.virtual_size.count());
    for (const auto& [block, data] : layer.blocks) {
        const std::uint64_t begin = block * limits::kBlockBytes;
        const std::uint64_t length = std::min<std::uint64_t>(limits::kBlockBytes, bytes.size() - begin);
        const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(begin);
        if (data.empty())
            std::fill_n(at, length, std::byte{0});
        else
            std::ranges::copy(data, at);
    }
    return bytes;
}

void FakeReplicaTarget::die_at(std::uint64_t step) {
    medium_->steps_left = step;
}
bool FakeReplicaTarget::dead() const {
    return medium_->dead;
}
void FakeReplicaTarget::restart() {
    medium_->dead = false;
    medium_->steps_left.reset();
}
void FakeReplicaTarget::set_space(Bytes left, Bytes told) {
    medium_->left = left;
    medium_->told = told;
}
void FakeReplicaTarget::rot_next_write() {
    medium_->rot = true;
}
void FakeReplicaTarget::break_tables(const VmId& vm, std::uint64_t generation) {
    medium_->committed.at(vm).at(generation).tables.clear();
}

}  // namespace penumbra::hypervisor::fake
