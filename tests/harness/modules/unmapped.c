// SPDX-License-Identifier: MIT
/*
 * A driver for QEMU's edu device that does with a mapping what it must not, by its parameter kind: "leaked" never unmaps it, which DMA_API_DEBUG must
 * notice when the driver lets the device go; "stale" lets the device read it after it was unmapped, which an IOMMU must refuse.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#define UNMAPPED_LENGTH 512

static char *kind = "leaked";
module_param(kind, charp, 0444);

/* A command of edu's: into its buffer. It takes a tenth of a second. */
static int unmapped_read(struct pci_dev *pdev, dma_addr_t address)
{
	void __iomem *regs = pci_iomap(pdev, 0, 0);

	if (!regs)
		return -ENOMEM;
	writeq(address, regs + 0x80);
	writeq(0x40000, regs + 0x88);
	writeq(UNMAPPED_LENGTH, regs + 0x90);
	writeq(1, regs + 0x98);
	msleep(500);
	pci_iounmap(pdev, regs);
	return 0;
}

static int unmapped_map(struct pci_dev *pdev, void *buffer)
{
	dma_addr_t address = dma_map_single(&pdev->dev, buffer, UNMAPPED_LENGTH, DMA_TO_DEVICE);

	if (dma_mapping_error(&pdev->dev, address))
		return -ENOMEM;
	if (strcmp(kind, "stale"))
		return 0;
	dma_unmap_single(&pdev->dev, address, UNMAPPED_LENGTH, DMA_TO_DEVICE);
	return unmapped_read(pdev, address);
}

static int unmapped_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	void *buffer = kzalloc(UNMAPPED_LENGTH, GFP_KERNEL);
	int ret;

	if (!buffer)
		return -ENOMEM;
	ret = pcim_enable_device(pdev);
	if (!ret) {
		pci_set_master(pdev);
		pci_set_drvdata(pdev, buffer);
		ret = unmapped_map(pdev, buffer);
	}
	if (ret)
		kfree(buffer);
	return ret;
}

static void unmapped_remove(struct pci_dev *pdev)
{
	kfree(pci_get_drvdata(pdev));
}

static const struct pci_device_id unmapped_ids[] = { { PCI_DEVICE(0x1234, 0x11e8) }, {} };
MODULE_DEVICE_TABLE(pci, unmapped_ids);

static struct pci_driver unmapped_driver = {
	.name = "unmapped",
	.id_table = unmapped_ids,
	.probe = unmapped_probe,
	.remove = unmapped_remove,
};
module_pci_driver(unmapped_driver);

MODULE_DESCRIPTION("Test of the VM harness: a leaked DMA mapping");
MODULE_LICENSE("Dual MIT/GPL");
