#include "cli/render/table.hpp"

#include <gtest/gtest.h>

namespace penumbra::cli {
namespace {

TEST(Table, ColumnsAreAsWideAsTheirWidestCell) {
    Table table({"HOST", "STATE"});
    table.add({"hv1", "ONLINE"});
    table.add({"a-longer-name", "SUSPECT"});
    EXPECT_EQ(table.text(),
              "HOST           STATE\n"
              "hv1            ONLINE\n"
              "a-longer-name  SUSPECT\n");
}

TEST(Table, CountsCodePointsNotBytes) {
    Table table({"A", "B"});
    table.add({"ü", "x"});
    table.add({"uu", "y"});
    EXPECT_EQ(table.text(), "A   B\nü   x\nuu  y\n");
}

TEST(Table, ATerminalSequenceOfAGuestIsNotPassedOn) {
    Table table({"NAME"});
    table.add({"\x1b[2Jshop\nline"});
    EXPECT_EQ(table.text(), "NAME\n?[2Jshop?line\n");
}

}  // namespace
}  // namespace penumbra::cli
