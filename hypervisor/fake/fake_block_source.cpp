#include "hypervisor/fake/fake_block_source.hpp"

#include "base/limits/replica.hpp"

namespace penumbra::hypervisor::fake {

Result<void> FakeBlockSource::check_open() const {
    if (!cut_->open) return fail(ErrorCode::kUnavailable, "the backup job is gone: begin a new one");
    return {};
}

Result<ExtentSet> FakeBlockSource::dirty() {
    TRY(check_open());
    return cut_->dirty;
}

Result<ExtentSet> FakeBlockSource::zeroes(const ExtentSet& within) {
    TRY(check_open());
    return cut_->zero.intersect(within);
}

Result<void> FakeBlockSource::read(const std::function<std::optional<Extent>()>& next, const ChunkSink& sink,
                                   const std::stop_token& stop) {
    while (const std::optional<Extent> chunk = next()) {
        TRY(check_open());
        if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "the read was stopped on request");
        ASSERT(chunk->end <= cut_->data.size() && chunk->length() <= limits::kReadChunkBytesMax);
        if (faults_->reads_left && (*faults_->reads_left)-- == 0) {
            faults_->reads_left.reset();
            return fail(ErrorCode::kUnavailable, "reading the backup failed: connection reset");
        }
        const auto begin = cut_->data.begin() + static_cast<std::ptrdiff_t>(chunk->begin);
        std::vector<std::byte> bytes(begin, begin + static_cast<std::ptrdiff_t>(chunk->length()));
        if (faults_->corrupt_next) {
            faults_->corrupt_next = false;
            bytes[bytes.size() / 2] ^= std::byte{1};
        }
        TRY(sink(*chunk, bytes));
    }
    return {};
}

}  // namespace penumbra::hypervisor::fake
