#pragma once

#include <memory>
#include <string>

#include "hypervisor/fake/fake_hypervisor.hpp"

namespace penumbra::hypervisor::fake {

/// A disk as it was at the cut, and whether its job is still open.
struct FakeHypervisor::Cut {
    std::vector<std::byte> data;
    ExtentSet zero;
    ExtentSet dirty;
    bool open = true;
};

struct FakeHypervisor::Faults {
    std::optional<std::uint64_t> reads_left;
    bool corrupt_next = false;
};

/// Reads one disk of a fake backup job; fails with kUnavailable once the job has ended. Thread-bound.
class FakeBlockSource final : public BlockSource {
 public:
    FakeBlockSource(std::shared_ptr<const FakeHypervisor::Cut> cut, std::shared_ptr<FakeHypervisor::Faults> faults)
        : cut_(std::move(cut)), faults_(std::move(faults)) {}

    [[nodiscard]] Bytes size() const override { return Bytes(cut_->data.size()); }
    [[nodiscard]] Result<ExtentSet> dirty() override;
    [[nodiscard]] Result<ExtentSet> zeroes(const ExtentSet& within) override;
    [[nodiscard]] Result<void> read(const std::function<std::optional<Extent>()>& next, const ChunkSink& sink,
                                    const std::stop_token& stop) override;

 private:
    [[nodiscard]] Result<void> check_open() const;

    std::shared_ptr<const FakeHypervisor::Cut> cut_;
    std::shared_ptr<FakeHypervisor::Faults> faults_;
};

}  // namespace penumbra::hypervisor::fake
