#include "plugins/host_metrics/block_devices.h"

#include <gtest/gtest.h>

#include "plugins/host_metrics/bounded_names.h"
#include "plugins/proc/fake_proc.h"

namespace plumb::host_metrics {
namespace {

using proc::FakeProc;

TEST(BlockDevices, DisksAreToldFromPartitionsBySysfsWhateverTheirNames) {
  FakeProc fake;
  for (const char* disk : {"sda", "vda", "nvme0n1", "mmcblk0", "rbd0", "pmem0", "nbd0"}) {
    fake.write("sys/class/block/" + std::string(disk) + "/size", "9\n");
  }
  for (const char* part : {"sda1", "nvme0n1p1", "mmcblk0p2", "rbd0p1", "cciss!c0d0p1"}) {
    fake.write("sys/class/block/" + std::string(part) + "/partition", "1\n");
  }
  BlockDevices devices(fake.root());
  for (const char* disk : {"sda", "vda", "nvme0n1", "mmcblk0", "rbd0", "pmem0", "nbd0", "xvdb"}) {
    EXPECT_TRUE(devices.is_disk(disk)) << disk;
  }
  for (const char* other : {"sda1", "nvme0n1p1", "mmcblk0p2", "rbd0p1", "cciss/c0d0p1", "loop0",
                            "ram3", "zram0", "sr0", "fd0"}) {
    EXPECT_FALSE(devices.is_disk(other)) << other;
  }
}

TEST(BlockDevices, AStackedDeviceIsADiskOnlyWhereNoneIsSeenBelowIt) {
  FakeProc fake;
  fake.write("sys/class/block/md0/slaves/sda1/size", "9\n");
  fake.write("sys/class/block/dm-0/slaves/md0/size", "9\n");
  fake.write("sys/class/block/md1/slaves/x", "");
  fake.remove("sys/class/block/md1/slaves/x");
  BlockDevices devices(fake.root());
  EXPECT_FALSE(devices.is_disk("md0"));
  EXPECT_FALSE(devices.is_disk("dm-0"));
  EXPECT_TRUE(devices.is_disk("md1"));
}

TEST(BoundedNames, KeepTheFirstAndSayWhichCameTooLate) {
  BoundedNames names(2);
  EXPECT_TRUE(names.take("a"));
  EXPECT_TRUE(names.take("b"));
  EXPECT_EQ(names.problem("disks"), "");
  EXPECT_FALSE(names.take("c"));
  EXPECT_FALSE(names.take("d"));
  EXPECT_TRUE(names.take("a"));
  EXPECT_EQ(names.problem("disks"),
            "more than 2 disks were seen: c and what came after it are left out");
}

}  // namespace
}  // namespace plumb::host_metrics
