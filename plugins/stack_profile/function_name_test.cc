#include "plugins/stack_profile/function_name.h"

#include <gtest/gtest.h>

namespace plumb::stack_profile {
namespace {

TEST(FunctionName, ParametersResultsAndLongTemplateArgumentsAreTakenOff) {
  EXPECT_EQ(shorten("shop::grind_beans(unsigned long)"), "shop::grind_beans");
  EXPECT_EQ(shorten("unsigned long shop::brew<unsigned long>(unsigned long const&)"),
            "shop::brew<unsigned long>");
  EXPECT_EQ(shorten("std::vector<int, std::allocator<int> >::push_back(int const&)"),
            "std::vector<>::push_back");
  EXPECT_EQ(shorten("(anonymous namespace)::passed(timespec const&, double)"),
            "(anonymous)::passed");
  EXPECT_EQ(shorten("main"), "main");
}

TEST(FunctionName, OperatorsLambdasAndConversionsKeepTheirNames) {
  EXPECT_EQ(shorten("a::operator()(int) const"), "a::operator()");
  EXPECT_EQ(shorten("a::operator<(a const&) const"), "a::operator<");
  EXPECT_EQ(shorten("std::ostream& operator<< <char>(std::ostream&, char)"), "operator<< <char>");
  EXPECT_EQ(shorten("a::operator bool() const"), "a::operator bool");
  EXPECT_EQ(shorten("operator new(unsigned long)"), "operator new");
  EXPECT_EQ(shorten("a::f(int) const::{lambda(int)#1}::operator()(int) const"),
            "a::f::{lambda}::operator()");
  EXPECT_EQ(shorten("a::operator->()"), "a::operator->");
}

TEST(FunctionName, WhatIsNoCxxNameStaysAsItIs) {
  EXPECT_EQ(demangle("pthread_mutex_lock"), "pthread_mutex_lock");
  EXPECT_EQ(demangle("pthread_mutex_lock@@GLIBC_2.2.5"), "pthread_mutex_lock");
  EXPECT_EQ(demangle("_Zbroken"), "_Zbroken");
  EXPECT_EQ(demangle("_ZN4shop11grind_beansEm"), "shop::grind_beans");
  EXPECT_EQ(demangle("_ZN4shop11grind_beansEm.cold"), "shop::grind_beans");
  EXPECT_EQ(demangle(""), "");
  EXPECT_EQ(demangle("@"), "@");
}

TEST(FunctionName, UnbalancedAndEndlessNamesEnd) {
  for (const char* hostile : {"(", "<", "a<b(c", ")", ">", "operator", "operator ", "a::operator",
                              "{lambda", "f(", "f()const::", "      ", "operator<<<<<"}) {
    EXPECT_LE(shorten(hostile).size(), std::string(hostile).size()) << hostile;
  }
  EXPECT_EQ(demangle("_Z" + std::string(100'000, 'P')).size(), 100'002u);
}

TEST(FrameText, IsSafeToJoin) {
  EXPECT_EQ(frame_text("a;b"), "a:b");
  EXPECT_EQ(frame_text("a\nb\x1b[31m\x7f"), "a?b?[31m?");
  EXPECT_EQ(frame_text("caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(frame_text("\xff\xc3"), "??");
  EXPECT_EQ(frame_text("\xc2\x9b"
                       "x"),
            "??x");                                   // a control character in two bytes
  EXPECT_EQ(frame_text("\xed\xa0\x80"), "???");       // half a surrogate pair
  EXPECT_EQ(frame_text("\xf4\x90\x80\x80"), "????");  // beyond Unicode
  EXPECT_EQ(frame_text(""), "?");
  EXPECT_LE(frame_text(std::string(100'000, 'x')).size(), 240u);
}

}  // namespace
}  // namespace plumb::stack_profile
