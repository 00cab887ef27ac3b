#include "replay/player.hpp"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "replay/kpi.hpp"
#include "tests/support/http_server.hpp"
#include "tests/unit/replay/loop_fixture.hpp"
#include "tests/unit/replay/recording_sink.hpp"

namespace penumbra::replay {
namespace {

using namespace std::chrono_literals;
using penumbra::testing::HttpServer;

constexpr std::string_view kServerAddress = "127.0.0.5";

class PlayerTest : public testing::LoopFixture {
 protected:
    std::unique_ptr<Player> player(double multiple, Player::Options options) {
        const Schedule schedule({.delay = 0s, .multiple = multiple, .spread = 5ms},
                                Sampler({}, Sampler::Purpose::kMultiple));
        return std::make_unique<Player>(*loop_, clock_, schedule, options);
    }
    std::unique_ptr<Player> player() { return player(1, {.connect_max = 2s, .answer_max = 300ms}); }

    Exchange exchange(std::uint64_t connection, std::string_view path, std::chrono::milliseconds after = 0ms) {
        const std::string text = "GET " + std::string(path) + " HTTP/1.1\r\nHost: shop\r\n\r\n";
        Exchange exchange{.connection = connection,
                          .client = {packet::IpAddress::v4(0x7f000100 + static_cast<std::uint32_t>(connection)), 0},
                          .server = server_.endpoint(),
                          .request_begin = clock_.now() + after};
        packet::append(exchange.request, testing::view(text));
        return exchange;
    }
    model::ReplayLedger played_out(Player& player) {
        model::ReplayLedger total;
        run_until([&] {
            total = sum_of(total, player.take_ledger());
            return player.waiting() == 0;
        });
        total = sum_of(total, player.take_ledger());
        EXPECT_EQ(total.captured, total.replayed + losses_of(total));
        return total;
    }
    SystemClock clock_;
    HttpServer server_{*loop_, std::string(kServerAddress)};
};

TEST_F(PlayerTest, AsksInOrderOnOneConnectionFromTheClientsOwnAddress) {
    const auto player = this->player();
    for (int i = 0; i < 5; ++i)
        player->take(exchange(9, "/ok" + std::to_string(i), std::chrono::milliseconds(3 * i)));
    const auto ledger = played_out(*player);
    EXPECT_EQ(ledger.replayed, 5U);
    ASSERT_EQ(server_.log.size(), 5U);
    for (int i = 0; i < 5; ++i) {
        const HttpServer::Line& line = server_.log[static_cast<std::size_t>(i)];
        EXPECT_EQ(line.request, "GET /ok" + std::to_string(i));
        EXPECT_EQ(line.client.substr(0, 10), "127.0.1.9:");
    }
    EXPECT_EQ(server_.connections(), 1U);
    player->take(ConnectionEnd{.connection = 9});
    run_until([&] { return server_.open_connections() == 0; });
}

TEST_F(PlayerTest, EachWayOfNotBeingAnsweredHasItsCounterAndTheNextRequestIsSentAnew) {
    const auto player = this->player();
    std::uint64_t connection = 1;
    for (const std::string_view path : {"/drop", "/half", "/never", "/close", "/down"}) {
        player->take(exchange(connection, path));
        player->take(exchange(connection++, "/ok"));
    }
    const auto ledger = played_out(*player);
    EXPECT_EQ(ledger.captured, 10U);
    EXPECT_EQ(ledger.lost_reset, 2U);
    EXPECT_EQ(ledger.lost_timeout, 1U);
    EXPECT_EQ(ledger.replayed, 7U);
}

TEST_F(PlayerTest, AnArmThatDoesNotListenIsAConnectLoss) {
    const auto player = this->player();
    Exchange nobody = exchange(1, "/ok");
    nobody.server.port = 1;
    player->take(nobody);
    EXPECT_EQ(played_out(*player).lost_connect, 1U);
}

TEST_F(PlayerTest, AKeptConnectionThatTheArmClosedWhileIdleIsOpenedAgain) {
    const auto player = this->player();
    player->take(exchange(1, "/ok"));
    EXPECT_EQ(played_out(*player).replayed, 1U);
    server_.close_all();
    player->take(exchange(1, "/ok", 30ms));
    EXPECT_EQ(played_out(*player).replayed, 1U);
    EXPECT_EQ(server_.connections(), 2U);
}

TEST_F(PlayerTest, AMultipleSendsWholeConnectionsAgain) {
    const auto player = this->player(3, {});
    for (int i = 0; i < 4; ++i)
        player->take(exchange(1, "/ok"));
    EXPECT_EQ(played_out(*player).replayed, 12U);
    EXPECT_EQ(server_.connections(), 3U);
}

TEST_F(PlayerTest, WhatStopsOrDoesNotFitIsCountedAsNotSent) {
    const auto player = this->player(1, {.connections_max = 2});
    for (std::uint64_t connection = 1; connection <= 3; ++connection)
        player->take(exchange(connection, "/ok", 1h));
    EXPECT_EQ(player->waiting(), 2U);
    player->stop();
    const auto ledger = player->take_ledger();
    EXPECT_EQ(ledger.captured, 3U);
    EXPECT_EQ(ledger.lost_not_sent, 3U);
}

TEST_F(PlayerTest, TalliesOfTheCaptureEnterTheLedger) {
    const auto player = this->player();
    player->take(Tally{.capture_drop = 2, .spool_full = 5});
    const auto ledger = player->take_ledger();
    EXPECT_EQ(ledger.captured, 7U);
    EXPECT_EQ(ledger.lost_capture_drop, 2U);
    EXPECT_EQ(ledger.lost_spool_full, 5U);
}

TEST_F(PlayerTest, TheLedgerBalancesInAnyMixture) {
    std::mt19937 random(7);
    constexpr std::array<std::string_view, 6> kPaths = {"/ok", "/ok", "/drop", "/half", "/close", "/down"};
    const auto player = this->player(1.5, {.connections_max = 40});
    constexpr std::uint64_t kSent = 400;
    for (std::uint64_t i = 0; i < kSent; ++i) {
        const std::uint64_t connection = 1 + random() % 60;
        player->take(exchange(connection, kPaths[random() % kPaths.size()], std::chrono::milliseconds(random() % 50)));
        if (random() % 10 == 0) player->take(ConnectionEnd{.connection = connection});
    }
    const auto ledger = played_out(*player);
    EXPECT_GT(ledger.captured, kSent);
    EXPECT_GT(ledger.replayed, 0U);
    EXPECT_GT(ledger.lost_reset, 0U);
    EXPECT_GT(ledger.lost_not_sent, 0U);
    EXPECT_EQ(server_.log.size(), ledger.replayed + ledger.lost_reset);
}

}  // namespace
}  // namespace penumbra::replay
