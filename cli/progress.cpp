#include "cli/progress.hpp"

#include <algorithm>

#include <sys/ioctl.h>
#include <unistd.h>

namespace penumbra::cli {

namespace {
constexpr std::size_t kUsualColumns = 80;

std::size_t columns_of_terminal(int fd) {
    winsize size{};
    return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsualColumns;
}
}  // namespace

void Progress::show(std::string_view line) {
    std::string text(line);
    std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
    if (text == shown_) return;
    shown_ = text;
    if (!terminal_ && text.empty()) return;
    // A line longer than the terminal would wrap, and not be written over.
    if (terminal_) text = "\r\033[K" + text.substr(0, columns_of_terminal(fd_) - 1);
    if (!terminal_) text += "\n";
    // What cannot be shown changes nothing of what is done.
    if (::write(fd_, text.data(), text.size()) < 0) return;
}

}  // namespace penumbra::cli
