#include "hypervisor/nbd/nbd_source.hpp"

#include <fmt/format.h>

#include "base/limits/replica.hpp"
#include "hypervisor/nbd/parallel_reader.hpp"

namespace penumbra::hypervisor::nbd {
namespace {

constexpr std::uint32_t kDirty = 1;  // NBD_STATE_DIRTY of qemu:dirty-bitmap (QEMU docs/interop/nbd.txt)

class NbdSource final : public BlockSource {
 public:
    NbdSource(Endpoint endpoint, std::string bitmap, std::uint64_t bytes, unsigned connections)
        : endpoint_(std::move(endpoint)), bitmap_(std::move(bitmap)), bytes_(bytes), connections_(connections) {}

    [[nodiscard]] Bytes size() const override { return Bytes(bytes_); }

    [[nodiscard]] Result<ExtentSet> dirty() override {
        const ExtentSet whole({{.begin = 0, .end = bytes_}});
        if (bitmap_.empty()) return whole;
        return block_status(with_context("qemu:dirty-bitmap:" + bitmap_), whole,
                            [](std::uint32_t flags) { return (flags & kDirty) != 0; });
    }

    [[nodiscard]] Result<ExtentSet> zeroes(const ExtentSet& within) override {
        // A hole that is not flagged zero holds data for all we know.
        return block_status(with_context(LIBNBD_CONTEXT_BASE_ALLOCATION), within,
                            [](std::uint32_t flags) { return (flags & LIBNBD_STATE_ZERO) != 0; });
    }

    [[nodiscard]] Result<void> read(const std::function<std::optional<Extent>()>& next, const ChunkSink& sink,
                                    const std::stop_token& stop) override {
        std::vector<Handle> connections;
        for (unsigned i = 0; i < connections_; ++i)
            connections.push_back(TRY(connect(endpoint_)));
        return ParallelReader(std::move(connections), endpoint_).run(next, sink, stop);
    }

 private:
    [[nodiscard]] Endpoint with_context(std::string context) const {
        Endpoint endpoint = endpoint_;
        endpoint.context = std::move(context);
        return endpoint;
    }

    Endpoint endpoint_;
    std::string bitmap_;
    std::uint64_t bytes_;
    unsigned connections_;
};

}  // namespace

Result<std::unique_ptr<BlockSource>> NbdSources::open(const BackupJob& job, const BackupExport& disk) {
    Endpoint endpoint{.socket = job.socket, .export_name = disk.name, .context = {}, .patience = patience_};
    const Handle handle = TRY(connect(endpoint));
    const std::int64_t bytes = ::nbd_get_size(handle.get());
    if (bytes < 0) return fail_nbd("asking for the disk's size");
    const unsigned connections = ::nbd_can_multi_conn(handle.get()) == 1 ? limits::kDataConnections : 1;
    return std::unique_ptr<BlockSource>(
        std::make_unique<NbdSource>(std::move(endpoint), disk.bitmap, static_cast<std::uint64_t>(bytes), connections));
}

}  // namespace penumbra::hypervisor::nbd
