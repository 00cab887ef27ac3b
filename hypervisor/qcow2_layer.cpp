#include "hypervisor/qcow2_layer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable_file.hpp"
#include "base/limits/replica.hpp"

namespace penumbra::hypervisor {

using qcow2::kClusterBytes;
using qcow2::kEntriesPerTable;

Result<LayerWriter> LayerWriter::create(std::filesystem::path path, const Spec& spec) {
    if (spec.size == 0 || spec.size % 512 != 0 || spec.size > limits::kVolumeBytesMax)
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("a volume of {} bytes cannot be a qcow2 image: {}", spec.size, path.native()));
    if (!spec.backing.empty()) TRY(qcow2::check_backing(spec.backing));
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, spec.mode));
    if (!fd.valid()) return fail_errno(errno, fmt::format("creating layer {}", path.native()));
    // Whatever our umask is: guests read what lies below their overlays.
    if (::fchmod(fd.get(), spec.mode) != 0)
        return fail_errno(errno, fmt::format("setting the mode of {}", path.native()));
    return LayerWriter(std::move(path), spec, std::move(fd));
}

std::uint64_t& LayerWriter::entry(std::uint64_t cluster) {
    L2Table& table = l2_[cluster / kEntriesPerTable];
    if (table.empty()) table.resize(kEntriesPerTable);
    return table[cluster % kEntriesPerTable];
}

Result<void> LayerWriter::put(std::uint64_t offset, std::span<const std::byte> bytes) const {
    while (!bytes.empty()) {
        const ssize_t written = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return fail_errno(errno, fmt::format("writing layer {}", path_.native()));
        bytes = bytes.subspan(static_cast<std::size_t>(written));
        offset += static_cast<std::uint64_t>(written);
    }
    return {};
}

Result<void> LayerWriter::put(std::uint64_t offset, std::string text) const {
    text.resize((text.size() + kClusterBytes - 1) / kClusterBytes * kClusterBytes, '\0');
    return put(offset, std::as_bytes(std::span(text)));
}

Result<void> LayerWriter::write(std::uint64_t offset, std::span<const std::byte> data) {
    ASSERT(!sealed_ && !data.empty() && offset % kClusterBytes == 0 && offset + data.size() <= spec_.size);
    const std::uint64_t whole = data.size() / kClusterBytes * kClusterBytes;
    ASSERT(whole == data.size() || offset + data.size() == spec_.size);
    TRY(put(data_end_, data.first(whole)));
    if (whole < data.size()) {
        std::string last;
        for (const std::byte byte : data.subspan(whole))
            last += std::to_integer<char>(byte);
        TRY(put(data_end_ + whole, std::move(last)));
    }
    for (std::uint64_t done = 0; done < data.size(); done += kClusterBytes) {
        std::uint64_t& slot = entry((offset + done) / kClusterBytes);
        ASSERT(slot == 0);
        slot = data_end_ | qcow2::kCopied;
        data_end_ += kClusterBytes;
    }
    return data_end_ - pushed_end_ < limits::kWriteBehindBytes ? Result<void>() : push_out();
}

Result<void> LayerWriter::push_out() {
    const auto fail_push = [this] {
        return fail_errno(errno, fmt::format("writing layer {} to its disk", path_.native()));
    };
    if (::sync_file_range(fd_.get(), static_cast<off_t>(pushed_end_), static_cast<off_t>(data_end_ - pushed_end_),
                          SYNC_FILE_RANGE_WRITE) != 0)
        return fail_push();
    const auto dropped = static_cast<off_t>(dropped_end_);
    const auto length = static_cast<off_t>(pushed_end_ - dropped_end_);
    constexpr unsigned kWhole = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    if (length > 0 && ::sync_file_range(fd_.get(), dropped, length, kWhole) != 0) return fail_push();
    if (length > 0) ::posix_fadvise(fd_.get(), dropped, length, POSIX_FADV_DONTNEED);  // advice only
    dropped_end_ = pushed_end_;
    pushed_end_ = data_end_;
    return {};
}

void LayerWriter::zero(Extent extent) {
    ASSERT(!sealed_ && extent.begin % kClusterBytes == 0 && extent.end <= spec_.size);
    ASSERT(extent.end % kClusterBytes == 0 || extent.end == spec_.size);
    if (spec_.backing.empty()) return;
    for (std::uint64_t offset = extent.begin; offset < extent.end; offset += kClusterBytes) {
        std::uint64_t& slot = entry(offset / kClusterBytes);
        ASSERT(slot == 0);
        slot = qcow2::kReadsZero;
    }
}

Result<void> LayerWriter::seal() {
    ASSERT(!sealed_);
    const std::uint32_t l1_entries = qcow2::l1_entries_for(spec_.size);
    const qcow2::TablePlan plan = qcow2::plan_tables(data_end_, l2_.size(), l1_entries);
    std::vector<std::uint64_t> l1(l1_entries);
    std::uint64_t offset = plan.l2_offset;
    for (const auto& [index, table] : l2_) {
        TRY(put(offset, qcow2::big_endian(table)));
        l1[index] = offset | qcow2::kCopied;
        offset += kClusterBytes;
    }
    TRY(put(plan.l1_offset, qcow2::big_endian(l1)));
    std::vector<std::uint64_t> refcounts;
    for (std::uint64_t i = 0; i < plan.refcount_blocks; ++i) {
        refcounts.push_back(plan.refcounts_offset + i * kClusterBytes);
        TRY(put(refcounts.back(), qcow2::refcount_block(i, plan.clusters)));
    }
    TRY(put(plan.refcount_table_offset, qcow2::big_endian(refcounts)));
    TRY(put(0, qcow2::encode({.size = spec_.size,
                              .l1_offset = plan.l1_offset,
                              .l1_entries = l1_entries,
                              .refcount_table_offset = plan.refcount_table_offset,
                              .refcount_table_clusters = static_cast<std::uint32_t>(plan.refcount_table_clusters),
                              .backing = spec_.backing})));
    if (::fsync(fd_.get()) != 0) return fail_errno(errno, fmt::format("syncing layer {}", path_.native()));
    sealed_ = true;
    l2_.clear();
    return {};
}

Result<void> create_overlay(const std::filesystem::path& path, const std::filesystem::path& backing,
                            Bytes volume_size) {
    if (!backing.is_absolute())
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("overlay {} needs an absolute path below it, not {}", path.native(), backing.native()));
    LayerWriter writer =
        TRY(LayerWriter::create(path, {.size = volume_size.count(), .backing = backing.native(), .mode = 0600}));
    TRY(writer.seal());
    return sync_directory(path.parent_path());
}

void LayerReader::FreeBuffer::operator()(std::byte* buffer) const noexcept {
    std::free(buffer);
}

LayerReader::LayerReader(std::filesystem::path path, UniqueFd fd)
    : path_(std::move(path)),
      fd_(std::move(fd)),
      buffer_(static_cast<std::byte*>(std::aligned_alloc(4096, limits::kRereadBytes))) {
    ASSERT(buffer_ != nullptr);
}

tl::unexpected<Error> LayerReader::broken(std::string_view why) const {
    return fail(ErrorCode::kDataLoss, fmt::format("layer {} is broken: {}", path_.native(), why));
}

Result<LayerReader> LayerReader::open(std::filesystem::path path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT));
    if (!fd.valid() && errno == EINVAL) {  // no direct I/O here
        fd.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (fd.valid()) ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
    }
    if (!fd.valid()) return fail_errno(errno, fmt::format("opening layer {}", path.native()));
    struct stat facts{};
    if (::fstat(fd.get(), &facts) != 0) return fail_errno(errno, fmt::format("asking for {}", path.native()));
    LayerReader reader(std::move(path), std::move(fd));
    reader.file_bytes_ = static_cast<std::uint64_t>(facts.st_size);
    auto header = qcow2::decode_header(TRY(reader.get(0, kClusterBytes)));
    if (!header.has_value()) return fail_in(reader.path_.native(), std::move(header).error());
    reader.header_ = std::move(*header);
    while (reader.l1_.size() < reader.header_.l1_entries) {
        const std::uint64_t at = reader.header_.l1_offset + reader.l1_.size() * sizeof(std::uint64_t);
        const std::vector<std::uint64_t> part = TRY(reader.get_table(at));
        reader.l1_.insert(reader.l1_.end(), part.begin(), part.end());
    }
    return reader;
}

Result<std::span<const std::byte>> LayerReader::get(std::uint64_t offset, std::uint64_t length) {
    ASSERT(length <= limits::kRereadBytes);
    if (offset % kClusterBytes != 0 || offset + length > file_bytes_) return broken("it points past its end");
    std::uint64_t done = 0;
    while (done < length) {
        const ssize_t count =
            ::pread(fd_.get(), buffer_.get() + done, length - done, static_cast<off_t>(offset + done));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail_errno(errno, fmt::format("reading layer {} back", path_.native()));
        if (count == 0) return broken("it ends early");
        done += static_cast<std::uint64_t>(count);
    }
    return std::span<const std::byte>(buffer_.get(), length);
}

Result<std::vector<std::uint64_t>> LayerReader::get_table(std::uint64_t offset) {
    const std::span<const std::byte> bytes = TRY(get(offset, kClusterBytes));
    std::vector<std::uint64_t> entries(kEntriesPerTable);
    for (std::size_t i = 0; i < entries.size(); ++i)
        for (std::size_t byte = 0; byte < sizeof(std::uint64_t); ++byte)
            entries[i] = entries[i] << 8U | std::to_integer<std::uint64_t>(bytes[i * sizeof(std::uint64_t) + byte]);
    return entries;
}

Result<void> LayerReader::read_table(std::uint64_t index, std::uint64_t l1_entry, const ClusterSink& sink) {
    if ((l1_entry & ~qcow2::kOffsetMask) != qcow2::kCopied) return broken("an L1 entry is not one of ours");
    const std::vector<std::uint64_t> l2 = TRY(get_table(l1_entry & qcow2::kOffsetMask));
    const std::uint64_t clusters = (header_.size + kClusterBytes - 1) / kClusterBytes;
    std::map<std::uint64_t, std::uint64_t> cluster_at;  // by offset in the file
    for (std::uint64_t i = 0; i < kEntriesPerTable; ++i) {
        const std::uint64_t cluster = index * kEntriesPerTable + i;
        if (l2[i] == 0) continue;
        if (cluster >= clusters) return broken("it holds data behind the volume's end");
        if (l2[i] == qcow2::kReadsZero) {
            TRY(sink(cluster, {}));
            continue;
        }
        const std::uint64_t offset = l2[i] & qcow2::kOffsetMask;
        if ((l2[i] & ~qcow2::kOffsetMask) != qcow2::kCopied) return broken("an L2 entry is not one of ours");
        if (offset >= file_bytes_) return broken("it points past its end");
        if (seen_[offset / kClusterBytes]) return broken("two clusters share their data");
        seen_[offset / kClusterBytes] = true;
        cluster_at.emplace(offset, cluster);
    }
    return read_data(cluster_at, sink);
}

Result<void> LayerReader::read_data(const std::map<std::uint64_t, std::uint64_t>& cluster_at, const ClusterSink& sink) {
    for (auto next = cluster_at.begin(); next != cluster_at.end();) {
        // One read for neighbours in the file, whatever clusters of the volume they are.
        const std::uint64_t begin = next->first;
        std::uint64_t length = 0;
        for (auto end = next; end != cluster_at.end() && end->first == begin + length && length < limits::kRereadBytes;
             ++end)
            length += kClusterBytes;
        const std::span<const std::byte> bytes = TRY(get(begin, length));
        for (std::uint64_t done = 0; done < length; done += kClusterBytes, ++next)
            TRY(sink(next->second, bytes.subspan(done, kClusterBytes)));
    }
    return {};
}

Result<void> LayerReader::read(const ClusterSink& sink) {
    seen_.assign(file_bytes_ / kClusterBytes + 1, false);
    for (std::uint64_t index = 0; index < header_.l1_entries; ++index)
        if (l1_[index] != 0) TRY(read_table(index, l1_[index], sink));
    return {};
}

}  // namespace penumbra::hypervisor
