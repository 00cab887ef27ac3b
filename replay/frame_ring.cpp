#include "replay/frame_ring.hpp"

#include <atomic>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/limits/traffic.hpp"

namespace penumbra::replay {

namespace {
constexpr std::size_t kMappedBytes = limits::kRingBlockBytes * limits::kRingBlocks;
constexpr unsigned kRetireMilliseconds = 10;

template <class T>
Result<void> set(int fd, int option, const T& value, std::string_view what) {
    if (::setsockopt(fd, SOL_PACKET, option, &value, sizeof value) != 0) return fail_errno(errno, what);
    return {};
}

/// The kernel hands a block over by its status word.
std::uint32_t status_of(tpacket_block_desc& block) {
    return std::atomic_ref(block.hdr.bh1.block_status).load(std::memory_order_acquire);
}
void give_back(tpacket_block_desc& block) {
    std::atomic_ref(block.hdr.bh1.block_status).store(TP_STATUS_KERNEL, std::memory_order_release);
}
}  // namespace

Result<FrameRing> FrameRing::open(const std::string& interface) {
    const unsigned index = ::if_nametoindex(interface.c_str());
    if (index == 0) return fail_errno(errno, fmt::format("looking for the interface {}", interface));
    // Protocol 0: nothing is received before the bind, so no frame of another interface gets in.
    UniqueFd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.valid()) return fail_errno(errno, "opening a packet socket (it takes CAP_NET_RAW)");
    TRY(set(socket.get(), PACKET_VERSION, int{TPACKET_V3}, "choosing TPACKET_V3"));
    tpacket_req3 request{};
    request.tp_block_size = limits::kRingBlockBytes;
    request.tp_block_nr = limits::kRingBlocks;
    request.tp_frame_size = 2048;
    request.tp_frame_nr = kMappedBytes / request.tp_frame_size;
    request.tp_retire_blk_tov = kRetireMilliseconds;
    TRY(set(socket.get(), PACKET_RX_RING, request, "making the ring of frames"));
    void* blocks = ::mmap(nullptr, kMappedBytes, PROT_READ | PROT_WRITE, MAP_SHARED, socket.get(), 0);
    if (blocks == MAP_FAILED) return fail_errno(errno, "mapping the ring of frames");
    FrameRing ring(std::move(socket), Blocks(static_cast<std::byte*>(blocks)));
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(index);
    if (::bind(ring.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return fail_errno(errno, fmt::format("receiving from {}", interface));
    }
    return ring;
}

void FrameRing::Unmap::operator()(std::byte* blocks) const noexcept {
    static_cast<void>(::munmap(blocks, kMappedBytes));
}

void FrameRing::read(std::chrono::nanoseconds wall_ahead, const std::function<void(packet::ByteView, Instant)>& frame) {
    for (std::size_t turn = 0; turn < limits::kRingBlocksPerTurn; ++turn) {
        std::byte* const begin = blocks_.get() + next_block_ * limits::kRingBlockBytes;
        auto& block = *reinterpret_cast<tpacket_block_desc*>(begin);
        if ((status_of(block) & TP_STATUS_USER) == 0) return;
        std::byte* at = begin + block.hdr.bh1.offset_to_first_pkt;
        for (std::uint32_t i = 0; i < block.hdr.bh1.num_pkts; ++i) {
            const auto& header = *reinterpret_cast<const tpacket3_hdr*>(at);
            const auto wall = std::chrono::seconds(header.tp_sec) + std::chrono::nanoseconds(header.tp_nsec);
            frame({at + header.tp_mac, header.tp_snaplen}, Instant(wall - wall_ahead));
            at += header.tp_next_offset;
        }
        give_back(block);
        next_block_ = (next_block_ + 1) % limits::kRingBlocks;
    }
}

std::uint64_t FrameRing::take_drops() {
    tpacket_stats_v3 statistics{};
    socklen_t length = sizeof statistics;
    if (::getsockopt(fd(), SOL_PACKET, PACKET_STATISTICS, &statistics, &length) != 0) return 0;
    return statistics.tp_drops;
}

}  // namespace penumbra::replay
