#include "core/serve/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/session/temporary_directory_for_tests.h"

namespace plumb::serve {
namespace {

using testing::HasSubstr;

std::filesystem::path private_file(const TemporaryDirectory& directory, std::string_view text) {
  const auto file = directory.write("token", text);
  chmod(file.c_str(), 0600);
  return file;
}

TEST(Token, IsMadeOnceAndReadFromThenOn) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "token";
  const auto made = load_or_create_token(file);
  ASSERT_TRUE(made.is_ok()) << made.status().message();
  EXPECT_EQ(made->size(), 64u);
  struct stat info {};
  ASSERT_EQ(stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(*load_or_create_token(file), *made);
}

TEST(Token, TwoAreNeverTheSame) {
  const TemporaryDirectory directory;
  EXPECT_NE(*load_or_create_token(directory.path() / "a"),
            *load_or_create_token(directory.path() / "b"));
}

TEST(Token, IsNotTakenFromAFileThatOthersCanRead) {
  const TemporaryDirectory directory;
  const auto file = directory.write("token", "0123456789abcdef\n");
  chmod(file.c_str(), 0640);
  const auto token = load_or_create_token(file);
  ASSERT_FALSE(token.is_ok());
  EXPECT_THAT(token.status().message(), HasSubstr("chmod 600"));
  EXPECT_THAT(token.status().message(), Not(HasSubstr("0123456789abcdef")));
}

TEST(Token, IsNotTakenThroughALinkOrFromADirectory) {
  const TemporaryDirectory directory;
  private_file(directory, "0123456789abcdef\n");
  std::filesystem::create_symlink(directory.path() / "token", directory.path() / "link");
  EXPECT_FALSE(load_or_create_token(directory.path() / "link").is_ok());
  EXPECT_FALSE(load_or_create_token(directory.path()).is_ok());
}

TEST(Token, MustBeOneLongEnoughWord) {
  const TemporaryDirectory directory;
  for (const char* text : {"", "\n", "short\n", "two words that are long enough\n",
                           "0123456789abcdef\n0123456789abcdef\n"}) {
    EXPECT_FALSE(load_or_create_token(private_file(directory, text)).is_ok()) << text;
  }
  EXPECT_FALSE(load_or_create_token(private_file(directory, std::string(100'000, 'x'))).is_ok());
  EXPECT_EQ(*load_or_create_token(private_file(directory, "0123456789abcdef\r\n")),
            "0123456789abcdef");
}

TEST(Token, IsComparedWhole) {
  EXPECT_TRUE(same_secret("secret", "secret"));
  EXPECT_FALSE(same_secret("secreT", "secret"));
  EXPECT_FALSE(same_secret("Secret", "secret"));
  EXPECT_FALSE(same_secret("secre", "secret"));
  EXPECT_FALSE(same_secret("", "secret"));
}

}  // namespace
}  // namespace plumb::serve
