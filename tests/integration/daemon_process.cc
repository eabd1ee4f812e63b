#include "tests/integration/daemon_process.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>

namespace plumb {
namespace {

constexpr long kPatienceS = 60;

struct CurlDeleter {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
using Curl = std::unique_ptr<CURL, CurlDeleter>;

// What a transfer has brought, and whether it is enough.
struct Received {
  std::string text;
  std::function<bool(const std::string&)> enough;
};

size_t take(char* data, size_t size, size_t count, void* user) {
  auto& received = *static_cast<Received*>(user);
  received.text.append(data, size * count);
  const bool stop = received.enough && received.enough(received.text);
  return stop ? 0 : size * count;
}

Curl transfer(const std::string& url, Received& received) {
  Curl curl(curl_easy_init());
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, kPatienceS);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &received);
  return curl;
}

[[noreturn]] void become_daemon(const std::vector<std::string>& arguments, int output, int log) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(output, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  _exit(127);
}

// What comes up to the end of a line, or of the stream.
std::string read_line(int fd) {
  std::string line;
  char c = 0;
  pollfd ready{fd, POLLIN, 0};
  while (poll(&ready, 1, kPatienceS * 1000) > 0 && read(fd, &c, 1) == 1 && c != '\n') line += c;
  return line;
}

}  // namespace

DaemonProcess::DaemonProcess(const std::vector<std::string>& arguments,
                             const std::filesystem::path& log, const std::string& listen) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return;
  output_ = UniqueFd(ends[0]);
  UniqueFd input(ends[1]);
  const UniqueFd log_fd(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  std::vector<std::string> all = {std::string(PLUMB_BINARY_DIR) + "/bin/plumbd", "--listen",
                                  listen};
  all.insert(all.end(), arguments.begin(), arguments.end());
  pid_ = fork();
  if (pid_ == 0) become_daemon(all, input.get(), log_fd.get());
  // The daemon alone holds the writing end from here on.
  input.reset();
  const std::string line = read_line(output_.get());
  const size_t colon = line.rfind(':');
  if (colon != std::string::npos) port_ = static_cast<uint16_t>(std::atoi(&line[colon + 1]));
}

DaemonProcess::~DaemonProcess() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void DaemonProcess::signal(int number) const {
  if (pid_ > 0) kill(pid_, number);
}

int DaemonProcess::wait() {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(15);
  while (pid_ > 0 && std::chrono::steady_clock::now() < until) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return -1;
}

std::string DaemonProcess::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

HttpReply DaemonProcess::request(const std::string& method, const std::string& path,
                                 const std::string& content_type, const std::string& body) const {
  Received received;
  const Curl curl = transfer(url(path), received);
  curl_easy_setopt(curl.get(), CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_slist* headers = nullptr;
  if (!content_type.empty()) {
    headers = curl_slist_append(headers, ("Content-Type: " + content_type).c_str());
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  }
  HttpReply reply;
  if (curl_easy_perform(curl.get()) == CURLE_OK) {
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &reply.status);
    curl_header* header = nullptr;
    if (curl_easy_header(curl.get(), "Location", 0, CURLH_HEADER, -1, &header) == CURLHE_OK) {
      reply.location = header->value;
    }
    const char* type = nullptr;
    curl_easy_getinfo(curl.get(), CURLINFO_CONTENT_TYPE, &type);
    if (type != nullptr) reply.content_type = type;
  }
  curl_slist_free_all(headers);
  reply.body = std::move(received.text);
  return reply;
}

std::string DaemonProcess::follow(const std::string& path,
                                  const std::function<bool(const std::string&)>& enough) const {
  Received received{{}, enough};
  const Curl curl = transfer(url(path), received);
  curl_easy_perform(curl.get());
  return received.text;
}

}  // namespace plumb
