#include "hypervisor/replica_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable_file.hpp"
#include "base/limits/replica.hpp"
#include "hypervisor/qcow2_layer.hpp"

namespace penumbra::hypervisor {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStaging = "staging";
constexpr std::string_view kManifest = "manifest";
constexpr unsigned kFolderMode = 02750;  // whatever our umask is; what is made inside gets its group
constexpr unsigned kFileMode = 0440;

using Step = ReplicaFolder::StepHook;

std::string layer_name(const std::string& disk) {
    return disk + ".qcow2";
}
std::string table_name(const std::string& disk) {
    return disk + ".blocks";
}

std::optional<std::uint64_t> generation_of(const std::string& name) {
    std::uint64_t number = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
    if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size() || number == 0) return std::nullopt;
    return name == std::to_string(number) ? std::optional(number) : std::nullopt;
}

Result<void> make_folder(const fs::path& path) {
    const bool made = ::mkdir(path.c_str(), 0700) == 0;
    if (!made && errno == EEXIST) return {};
    if (!made || ::chmod(path.c_str(), kFolderMode) != 0)
        return fail_errno(errno, fmt::format("making folder {}", path.native()));
    return sync_directory(path.parent_path());
}

Result<void> remove_folder(const fs::path& path) {
    std::error_code error;
    fs::remove_all(path, error);
    if (error) return fail_errno(error.value(), fmt::format("removing folder {}", path.native()));
    if (!fs::exists(path.parent_path(), error)) return {};
    return sync_directory(path.parent_path());
}

Result<void> rename_durably(const fs::path& from, const fs::path& to) {
    if (::rename(from.c_str(), to.c_str()) != 0)
        return fail_errno(errno, fmt::format("renaming {} to {}", from.native(), to.native()));
    return sync_directory(to.parent_path());
}

/// Reads the manifest in a generation's folder and looks whether what it names stands there.
Result<ReplicaManifest> read_generation(const fs::path& folder, const VmId& vm, std::uint64_t generation) {
    ReplicaManifest manifest = TRY(decode_manifest(TRY(read_file(folder / kManifest, limits::kManifestBytesMax))));
    if (manifest.vm != vm || manifest.generation != generation)
        return fail(ErrorCode::kDataLoss, "its manifest is another generation's");
    for (const VolumeManifest& volume : manifest.volumes) {
        std::error_code error;
        if (!fs::exists(folder / layer_name(volume.disk), error))
            return fail(ErrorCode::kDataLoss, fmt::format("the layer of {} is missing", volume.disk));
    }
    return manifest;
}

class FolderVolume final : public StagedVolume {
 public:
    FolderVolume(fs::path path, LayerWriter writer, Step step)
        : path_(std::move(path)), writer_(std::move(writer)), step_(std::move(step)) {}

    [[nodiscard]] Result<void> write(std::uint64_t offset, std::span<const std::byte> data) override {
        step_("write data");
        return writer_.write(offset, data);
    }
    void zero(Extent extent) override { writer_.zero(extent); }
    [[nodiscard]] Result<void> seal() override {
        step_("seal a layer");
        return writer_.seal();
    }
    [[nodiscard]] Result<void> reread(const BlockSink& sink) override {
        LayerReader reader = TRY(LayerReader::open(path_));
        return reader.read([&sink](std::uint64_t cluster, std::span<const std::byte> data) {
            return sink(cluster, data.empty() ? zero_block_digest() : block_digest(data));
        });
    }

 private:
    fs::path path_;
    LayerWriter writer_;
    Step step_;
};

class FolderGeneration final : public StagedGeneration {
 public:
    FolderGeneration(const fs::path& vm_folder, std::uint64_t generation, Step step)
        : staging_(vm_folder / kStaging), final_(vm_folder / std::to_string(generation)), step_(std::move(step)) {}
    ~FolderGeneration() override {
        // What cannot be removed now is removed by the next stage(); it is no generation.
        if (!committed_) static_cast<void>(remove_folder(staging_));
    }
    FolderGeneration(const FolderGeneration&) = delete;
    FolderGeneration& operator=(const FolderGeneration&) = delete;
    FolderGeneration(FolderGeneration&&) = delete;
    FolderGeneration& operator=(FolderGeneration&&) = delete;

    [[nodiscard]] Result<StagedVolume*> add_volume(const LayerSpec& spec) override {
        step_("create a layer");
        const fs::path path = staging_ / layer_name(spec.disk);
        const std::string below = spec.base == 0 ? "" : fmt::format("../{}/{}", spec.base, layer_name(spec.disk));
        LayerWriter writer =
            TRY(LayerWriter::create(path, {.size = spec.virtual_size.count(), .backing = below, .mode = kFileMode}));
        volumes_.push_back(std::make_unique<FolderVolume>(path, std::move(writer), step_));
        return volumes_.back().get();
    }

    [[nodiscard]] Result<ReplicaManifest> commit(ReplicaManifest manifest,
                                                 const std::map<std::string, BlockTable>& tables) override {
        ASSERT(!committed_ && final_.filename() == std::to_string(manifest.generation));
        for (VolumeManifest& volume : manifest.volumes) {
            const std::string text = tables.at(volume.disk).encode();
            volume.table = sha256(text);
            step_("write a table");
            TRY(write_file_durably(staging_ / table_name(volume.disk), text, kFileMode));
        }
        step_("write the manifest");
        TRY(write_file_durably(staging_ / kManifest, encode(manifest), kFileMode));
        step_("rename");
        TRY(rename_durably(staging_, final_));
        committed_ = true;
        step_("done");
        return manifest;
    }

 private:
    fs::path staging_;
    fs::path final_;
    Step step_;
    std::vector<std::unique_ptr<FolderVolume>> volumes_;
    bool committed_ = false;
};

}  // namespace

ReplicaState usable_generations(std::vector<ReplicaManifest> manifests, std::vector<std::string> troubles) {
    std::ranges::sort(manifests, {}, &ReplicaManifest::generation);
    ReplicaState state{.troubles = std::move(troubles)};
    for (ReplicaManifest& manifest : manifests) {
        state.next_generation = manifest.generation + 1;
        const auto stands = [&state](const VolumeManifest& volume) {
            if (volume.base == 0) return volume.layers == 1;
            const auto below = std::ranges::find(state.generations, volume.base, &ReplicaManifest::generation);
            const VolumeManifest* lower = below == state.generations.end() ? nullptr : below->volume(volume.disk);
            return lower != nullptr && volume.layers == lower->layers + 1;
        };
        const auto fallen = std::ranges::find_if_not(manifest.volumes, stands);
        if (fallen == manifest.volumes.end())
            state.generations.push_back(std::move(manifest));
        else
            state.troubles.push_back(
                fmt::format("generation {} cannot be used: {} lies on generation {}, which is "
                            "missing or broken",
                            manifest.generation, fallen->disk, fallen->base));
    }
    return state;
}

fs::path ReplicaFolder::layer(const VmId& vm, std::uint64_t generation, const std::string& disk) const {
    return root_ / vm.text() / std::to_string(generation) / layer_name(disk);
}

Result<ReplicaState> ReplicaFolder::state(const VmId& vm) {
    std::vector<ReplicaManifest> manifests;
    std::vector<std::string> troubles;
    std::uint64_t highest = 0;
    const fs::path folder = root_ / vm.text();
    std::error_code error;
    const fs::directory_iterator entries(folder, error);
    if (error == std::errc::no_such_file_or_directory) return ReplicaState{};
    if (error) return fail_errno(error.value(), fmt::format("listing the replica in {}", folder.native()));
    for (const fs::directory_entry& entry : entries) {
        const auto generation = generation_of(entry.path().filename().native());
        if (!generation) continue;
        highest = std::max(highest, *generation);
        auto manifest = read_generation(entry.path(), vm, *generation);
        if (manifest.has_value())
            manifests.push_back(std::move(*manifest));
        else
            troubles.push_back(
                fmt::format("generation {} cannot be used: {}", *generation, manifest.error().describe()));
    }
    ReplicaState state = usable_generations(std::move(manifests), std::move(troubles));
    state.next_generation = highest + 1;
    return state;
}

Result<BlockTable> ReplicaFolder::table(const ReplicaManifest& manifest, const std::string& disk) {
    const VolumeManifest* volume = manifest.volume(disk);
    if (volume == nullptr)
        return fail(ErrorCode::kNotFound, fmt::format("generation {} has no volume {}", manifest.generation, disk));
    const fs::path path = root_ / manifest.vm.text() / std::to_string(manifest.generation) / table_name(disk);
    const std::string text = TRY(read_file(path, limits::kBlockTableBytesMax));
    if (sha256(text) != volume->table)
        return fail(ErrorCode::kDataLoss, fmt::format("{} is not what its manifest says: take a full generation of {}",
                                                      path.native(), manifest.vm.text()));
    return BlockTable::decode(text);
}

Result<std::unique_ptr<StagedGeneration>> ReplicaFolder::stage(const VmId& vm, std::uint64_t generation) {
    const Step& step = before_step_;
    const fs::path folder = root_ / vm.text();
    std::error_code error;
    if (fs::exists(folder / std::to_string(generation), error))
        return fail(ErrorCode::kAlreadyExists,
                    fmt::format("generation {} of {} is there already", generation, vm.text()));
    step("make the folder");
    TRY(make_folder(folder));
    step("clear staging");
    TRY(remove_folder(folder / kStaging));
    step("make staging");
    TRY(make_folder(folder / kStaging));
    return std::unique_ptr<StagedGeneration>(std::make_unique<FolderGeneration>(folder, generation, step));
}

Result<void> ReplicaFolder::remove(const VmId& vm, std::uint64_t generation) {
    const ReplicaState known = TRY(state(vm));
    for (const ReplicaManifest& manifest : known.generations)
        for (const VolumeManifest& volume : manifest.volumes)
            if (volume.base == generation)
                return fail(ErrorCode::kConflict, fmt::format("generation {} of {} lies under generation {}",
                                                              generation, vm.text(), manifest.generation));
    const fs::path folder = root_ / vm.text();
    std::error_code error;
    if (!fs::exists(folder / std::to_string(generation), error)) return {};
    // Under the name of something unfinished it is no generation any more, whatever of it a crash leaves.
    before_step_("clear staging");
    TRY(remove_folder(folder / kStaging));
    before_step_("rename to staging");
    TRY(rename_durably(folder / std::to_string(generation), folder / kStaging));
    before_step_("remove");
    return remove_folder(folder / kStaging);
}

Result<DiskRoom> ReplicaFolder::room() {
    return disk_room(root_);
}

}  // namespace penumbra::hypervisor
