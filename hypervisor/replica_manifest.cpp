#include "hypervisor/replica_manifest.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/limits/base.hpp"
#include "base/limits/replica.hpp"

namespace penumbra::hypervisor {
namespace {

constexpr std::string_view kFirstLine = "penumbra-manifest 1";

std::string_view word(model::GenerationKind kind) {
    return kind == model::GenerationKind::kFull ? "full" : "incremental";
}

std::string_view word(model::Consistency consistency) {
    switch (consistency) {
        case model::Consistency::kCrash:
            return "crash";
        case model::Consistency::kFilesystem:
            return "filesystem";
        case model::Consistency::kApplication:
            return "application";
    }
    return "crash";
}

/// One line's text on its way to a value; every read must succeed and the end must be reached.
class LineReader {
 public:
    explicit LineReader(std::string_view text) : text_(text) {}

    std::string_view word() {
        const std::size_t end = std::min(text_.find(' '), text_.size());
        const std::string_view taken = text_.substr(0, end);
        text_.remove_prefix(std::min(end + 1, text_.size()));
        good_ = good_ && !taken.empty();
        return taken;
    }
    template <class Number>
    Number number() {
        const std::string_view digits = word();
        Number value{};
        const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        good_ = good_ && parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size();
        return value;
    }
    Digest digest() {
        const auto parsed = Digest::from_hex(word());
        good_ = good_ && parsed.has_value();
        return parsed.value_or(Digest{});
    }
    template <class Name>
    Name id() {
        const auto parsed = Name::parse(word());
        good_ = good_ && parsed.has_value();
        return parsed.value_or(Name{});
    }
    std::string_view rest() { return std::exchange(text_, std::string_view()); }
    void require(bool condition) { good_ = good_ && condition; }
    [[nodiscard]] bool good() const { return good_ && text_.empty(); }

 private:
    std::string_view text_;
    bool good_ = true;
};

bool is_disk_name(std::string_view name) {
    return !name.empty() && name.size() <= limits::kIdBytesMax &&
           std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

VolumeManifest read_volume(LineReader& line) {
    VolumeManifest volume;
    volume.disk = line.word();
    line.require(is_disk_name(volume.disk));
    volume.virtual_size = Bytes(line.number<std::uint64_t>());
    line.require(volume.virtual_size <= Bytes(limits::kVolumeBytesMax));
    volume.layers = line.number<std::uint32_t>();
    line.require(volume.layers >= 1 && volume.layers <= limits::kReplicaLayersMax);
    volume.base = line.number<std::uint64_t>();
    line.require((volume.base == 0) == (volume.layers == 1));
    volume.table = line.digest();
    volume.root = line.digest();
    volume.read = Bytes(line.number<std::uint64_t>());
    volume.sent = Bytes(line.number<std::uint64_t>());
    volume.zeroed = Bytes(line.number<std::uint64_t>());
    return volume;
}

void read_consistency(LineReader& line, ReplicaManifest& manifest) {
    const std::string_view text = line.word();
    for (const auto consistency :
         {model::Consistency::kCrash, model::Consistency::kFilesystem, model::Consistency::kApplication}) {
        if (text == word(consistency)) {
            manifest.consistency = consistency;
            return;
        }
    }
    line.require(false);
}

void read_kind(LineReader& line, ReplicaManifest& manifest) {
    const std::string_view text = line.word();
    line.require(text == "full" || text == "incremental");
    manifest.kind = text == "full" ? model::GenerationKind::kFull : model::GenerationKind::kIncremental;
    manifest.kind_reason = line.rest();
}

/// The facts in the one order in which they are written.
bool read_fact(std::size_t index, std::string_view text, ReplicaManifest& manifest) {
    LineReader line(text);
    static constexpr std::string_view kNames[] = {"group", "vm", "generation", "kind", "consistency", "checkpoint"};
    const std::string_view name = line.word();
    line.require(name == (index < std::size(kNames) ? kNames[index] : "volume"));
    if (!line.good() && name == text) return false;
    switch (index) {
        case 0:
            manifest.group = line.id<GroupId>();
            break;
        case 1:
            manifest.vm = line.id<VmId>();
            break;
        case 2:
            manifest.generation = line.number<std::uint64_t>();
            break;
        case 3:
            read_kind(line, manifest);
            break;
        case 4:
            read_consistency(line, manifest);
            break;
        case 5:
            manifest.checkpoint = line.id<CheckpointId>();
            manifest.checkpoint_created_s = line.number<std::int64_t>();
            break;
        default:
            manifest.volumes.push_back(read_volume(line));
            line.require(manifest.volume(manifest.volumes.back().disk) == &manifest.volumes.back());
            break;
    }
    return line.good();
}

}  // namespace

const VolumeManifest* ReplicaManifest::volume(std::string_view disk) const noexcept {
    const auto found = std::ranges::find(volumes, disk, &VolumeManifest::disk);
    return found == volumes.end() ? nullptr : &*found;
}

std::string encode(const ReplicaManifest& manifest) {
    std::string reason = manifest.kind_reason;
    std::ranges::replace(reason, '\n', ' ');
    std::string out =
        fmt::format("{}\ngroup {}\nvm {}\ngeneration {}\nkind {} {}\nconsistency {}\ncheckpoint {} {}\n", kFirstLine,
                    manifest.group.text(), manifest.vm.text(), manifest.generation, word(manifest.kind), reason,
                    word(manifest.consistency), manifest.checkpoint.text(), manifest.checkpoint_created_s);
    for (const VolumeManifest& volume : manifest.volumes)
        out += fmt::format("volume {} {} {} {} {} {} {} {} {}\n", volume.disk, volume.virtual_size.count(),
                           volume.layers, volume.base, volume.table.hex(), volume.root.hex(), volume.read.count(),
                           volume.sent.count(), volume.zeroed.count());
    out += fmt::format("end {}\n", sha256(out).hex());
    return out;
}

Result<ReplicaManifest> decode_manifest(std::string_view text) {
    ReplicaManifest manifest;
    std::string_view rest = text;
    for (std::size_t number = 0;; ++number) {
        const std::size_t end = rest.find('\n');
        const std::string_view line = rest.substr(0, end);
        const auto broken = [&](std::string_view why) {
            return fail(ErrorCode::kDataLoss, fmt::format("the manifest is broken at line {} ({})", number + 1, why));
        };
        if (end == std::string_view::npos) return broken("it ends too early");
        if (line.starts_with("end ")) {
            if (rest.size() != end + 1) return broken("something follows its end");
            if (line.substr(4) != sha256(text.substr(0, text.size() - rest.size())).hex())
                return broken("its checksum differs");
            if (manifest.volumes.empty()) return broken("it names no volume");
            return manifest;
        }
        if (number == 0 ? line != kFirstLine : !read_fact(number - 1, line, manifest))
            return broken("not what is written here");
        if (manifest.volumes.size() > limits::kVolumesPerVmMax) return broken("too many volumes");
        rest.remove_prefix(end + 1);
    }
}

model::Generation to_model(const ReplicaManifest& manifest) {
    model::Generation generation{.group = manifest.group,
                                 .number = manifest.generation,
                                 .kind = manifest.kind,
                                 .kind_reason = manifest.kind_reason,
                                 .consistency = manifest.consistency,
                                 .volumes = {}};
    for (const VolumeManifest& volume : manifest.volumes)
        generation.volumes.push_back({.disk = volume.disk,
                                      .virtual_size = volume.virtual_size,
                                      .bytes_read = volume.read,
                                      .bytes_sent = volume.sent,
                                      .bytes_zeroed = volume.zeroed,
                                      .root_source = volume.root.hex(),
                                      .root_target = volume.root.hex()});
    return generation;
}

}  // namespace penumbra::hypervisor
