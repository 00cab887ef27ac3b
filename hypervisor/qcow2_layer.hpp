#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "base/units.hpp"
#include "hypervisor/extent_set.hpp"
#include "hypervisor/qcow2_layout.hpp"

namespace penumbra::hypervisor {

/// Writes one qcow2 file once: data clusters one behind the other in the order they come, tables and header at the end,
/// so that a file without its end is no image. Holds 64 KiB of memory for each 512 MiB of volume that is touched.
/// Written pages are pushed out as it goes, not to fill the page cache of a host that has guests. Thread-bound.
class LayerWriter {
 public:
    struct Spec {
        std::uint64_t size = 0;  ///< of the volume; a multiple of 512
        std::string backing;     ///< what lies below (qcow2), as check_backing() admits; empty: nothing
        unsigned mode = 0440;    ///< of the file; its group is the folder's where that is set-group-id
    };
    /// kAlreadyExists when `path` is there.
    [[nodiscard]] static Result<LayerWriter> create(std::filesystem::path path, const Spec& spec);

    /// Whole clusters at a cluster's offset; the volume's last may be short. A cluster is written or zeroed once.
    [[nodiscard]] Result<void> write(std::uint64_t offset, std::span<const std::byte> data);
    /// Reads as zero whatever lies below; whole clusters. Costs nothing where nothing lies below.
    void zero(Extent extent);
    /// Tables, header, fsync. Nothing may be written afterwards.
    [[nodiscard]] Result<void> seal();
    [[nodiscard]] Bytes data_bytes() const noexcept { return Bytes(data_end_ - qcow2::kClusterBytes); }

 private:
    using L2Table = std::vector<std::uint64_t>;

    LayerWriter(std::filesystem::path path, Spec spec, UniqueFd fd)
        : path_(std::move(path)), spec_(std::move(spec)), fd_(std::move(fd)) {}
    [[nodiscard]] std::uint64_t& entry(std::uint64_t cluster);
    [[nodiscard]] Result<void> put(std::uint64_t offset, std::span<const std::byte> bytes) const;
    [[nodiscard]] Result<void> put(std::uint64_t offset, std::string text) const;
    [[nodiscard]] Result<void> push_out();

    std::filesystem::path path_;
    Spec spec_;
    UniqueFd fd_;
    std::map<std::uint64_t, L2Table> l2_;               // by L1 index
    std::uint64_t data_end_ = qcow2::kClusterBytes;     // behind the header
    std::uint64_t pushed_end_ = qcow2::kClusterBytes;   // write-out has begun up to here
    std::uint64_t dropped_end_ = qcow2::kClusterBytes;  // on the medium and out of memory up to here
    bool sealed_ = false;
};

/// Makes an overlay a guest may write to: an empty layer on `backing`, an absolute path. Durable in itself.
[[nodiscard]] Result<void> create_overlay(const std::filesystem::path& path, const std::filesystem::path& backing,
                                          Bytes volume_size);

/// Reads a layer as LayerWriter wrote it, past the page cache: by direct I/O, or, where the filesystem has none
/// (tmpfs), after dropping its pages. Anything it cannot have written is an error. Thread-bound.
class LayerReader {
 public:
    [[nodiscard]] static Result<LayerReader> open(std::filesystem::path path);

    [[nodiscard]] const qcow2::Header& header() const noexcept { return header_; }
    /// Every cluster this layer holds, 512 MiB of the volume after the other; `data` is empty where it reads as zero,
    /// and a short last cluster is padded with zeroes.
    using ClusterSink = std::function<Result<void>(std::uint64_t cluster, std::span<const std::byte> data)>;
    [[nodiscard]] Result<void> read(const ClusterSink& sink);

 private:
    struct FreeBuffer {
        void operator()(std::byte* buffer) const noexcept;
    };
    LayerReader(std::filesystem::path path, UniqueFd fd);
    /// `length` bytes at `offset`, both multiples of a cluster; valid until the next call.
    [[nodiscard]] Result<std::span<const std::byte>> get(std::uint64_t offset, std::uint64_t length);
    [[nodiscard]] Result<std::vector<std::uint64_t>> get_table(std::uint64_t offset);
    [[nodiscard]] Result<void> read_table(std::uint64_t index, std::uint64_t l1_entry, const ClusterSink& sink);
    [[nodiscard]] Result<void> read_data(const std::map<std::uint64_t, std::uint64_t>& cluster_at,
                                         const ClusterSink& sink);
    [[nodiscard]] tl::unexpected<Error> broken(std::string_view why) const;

    std::filesystem::path path_;
    UniqueFd fd_;
    std::unique_ptr<std::byte, FreeBuffer> buffer_;
    std::uint64_t file_bytes_ = 0;
    qcow2::Header header_;
    std::vector<std::uint64_t> l1_;
    std::vector<bool> seen_;  // by cluster of the file: two of the volume never share one
};

}  // namespace penumbra::hypervisor
